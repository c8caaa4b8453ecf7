import copy
import pickle

import keras
import keras_tuner
import pytest

from keras_fusion import layers
from keras_fusion.tuning import FusionHyperModel
from keras_fusion.tuning import space as spaces

once = pytest.mark.only_on("torch", reason="no backend changes it")
SHAPES = {"a": (5,), "b": (3,)}


def point(fusion, space=None, **values):
    """What is drawn under this fusion, and the hyperparameters that were active."""
    hp = keras_tuner.HyperParameters()
    hp.values = {"fusion": fusion} | values
    names = list(layers.operators())
    baselines = dict.fromkeys(["late average", "only-a"], ("depth", "modality_dropout"))
    drawn = spaces.draw(hp, spaces.checked(space or {}), names, baselines)
    return drawn, {n for n in hp.values if hp.is_active(n)}


def test_what_belongs_to_one_operator_is_active_under_it_alone():
    drawn, active = point("AdaptiveWeighting", **{"AdaptiveWeighting.gate": "none"})
    assert drawn["config"] == {"gate": None}
    assert {n for n in active if "." in n} == {"AdaptiveWeighting.gate"}


@pytest.mark.parametrize("fusion", ["only-a", "late average"])
def test_the_bar_has_no_fusion_to_tune(fusion):
    drawn, active = point(fusion)
    assert not drawn["config"] and not {"depth", "modality_dropout"} & active
    assert set(drawn["arguments"]) == {"encoder_depth", "units", "dropout"}


@once
def test_every_choice_is_an_argument_of_its_operator():
    for name, operator in layers.operators().items():
        for argument, values in operator.choices.items():
            for value in values:
                assert getattr(operator(**{argument: value}), argument) == value, name


def test_heads_share_the_width():
    """All widths are multiples of the least one."""

    def heads(units):
        hp = keras_tuner.HyperParameters()
        spaces.draw(hp, spaces.checked({"units": units}), ["ModalityTransformer"], {})
        (found,) = [p for p in hp.space if p.name.endswith("num_heads")]
        return list(found.values)

    assert heads([32, 128]) == [1, 2, 4]
    assert heads([6, 12]) == [1, 2] and heads([5, 20]) == [1]


@once
def test_concatenation_is_a_bar_where_it_can_be_built():
    maps = {"a": (8, 8, 1), "b": (12, 12, 1)}  # 16 and 36 tokens
    arguments = {"patch_size": {"a": 2, "b": 2}}
    model = FusionHyperModel("MutualFormerClassifier", maps, 3, arguments=arguments)
    assert model.operators and "Concatenation" not in model.operators
    named = {"fusion": ["Summation"]}
    assert FusionHyperModel("FusionClassifier", SHAPES, 3, named).operators == [
        "Summation",
        "Concatenation",
    ]


def test_a_fixed_range_is_that_value():
    drawn, _ = point("Summation", {"depth": [2, 2]})
    assert drawn["arguments"]["depth"] == 2


@pytest.mark.parametrize(
    "space, sentence",
    [
        ({"depth": [3, 1]}, "depth has its range upside down: 3 > 1"),
        ({"depth": [0, 1]}, "depth must be positive"),
        ({"units": [8.5, 16]}, "two whole numbers"),
        ({"units": 8}, r"must be \[low, high\]"),
        ({"units": [48, 64]}, r"would end at 48: take \[48, 96\]"),
        ({"fusion": []}, "must list operators"),
        ({"fusion": ["Sumation"]}, "Sumation.*Summation"),
        ({"width": [1, 2]}, r"Unknown hyperparameters \['width'\]"),
    ],
)
def test_bad_spaces_are_refused(space, sentence):
    with pytest.raises(ValueError, match=sentence):
        spaces.checked(space)


@once
def test_operators_that_do_not_fit_are_left_out_or_give_their_reason(monkeypatch):
    def check(self, shapes):
        raise ValueError("three are too many")

    monkeypatch.setattr(layers.Summation, "check", check)
    fitting = FusionHyperModel("FusionClassifier", SHAPES, 3).operators
    assert "Summation" not in fitting and "Averaging" in fitting
    with pytest.raises(ValueError, match="Summation does not fit.*too many"):
        FusionHyperModel("FusionClassifier", SHAPES, 3, {"fusion": ["Summation"]})


@once
def test_what_was_not_measured_is_tried_where_it_is_named():
    assert not layers.LowRankFusion.searched
    fitting = FusionHyperModel("FusionClassifier", SHAPES, 3).operators
    assert "LowRankFusion" not in fitting and "GatedMultimodalUnit" in fitting
    named = {"fusion": ["LowRankFusion"]}
    model = FusionHyperModel("FusionClassifier", SHAPES, 3, named)
    assert model.operators == ["LowRankFusion", "Concatenation"]


@once
def test_a_builder_gets_what_it_takes():
    space = {"fusion": ["Summation"]}
    model = FusionHyperModel("GraphNodeClassifier", SHAPES, 3, space)
    assert "encoder_depth" not in model.space and "depth" in model.space
    assert model.build(keras_tuner.HyperParameters()).output_shape == (None, 3)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_plain_keras_tuner_takes_it(tmp_path):
    import numpy as np

    model = FusionHyperModel(
        "FusionClassifier", SHAPES, 3, {"fusion": ["Summation"], "units": [4, 8]}
    )
    tuner = keras_tuner.RandomSearch(
        model, "val_loss", max_trials=2, directory=tmp_path, overwrite=True
    )
    rng = np.random.default_rng(0)
    inputs = {n: rng.normal(size=(12, *s)).astype("float32") for n, s in SHAPES.items()}
    data = (inputs, np.arange(12) % 3)
    tuner.search(*data, validation_data=data, epochs=1, verbose=0)
    assert len(tuner.oracle.end_order) == 2
    assert {t.status for t in tuner.oracle.trials.values()} == {"COMPLETED"}


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"units": 8}, "units is searched"),
        ({"fusion": "Summation"}, "fusion is searched"),
        ({"unit": 8}, r"FusionClassifier has no arguments \['unit'\]"),
    ],
)
def test_arguments_that_are_searched_or_unknown_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        FusionHyperModel("FusionClassifier", SHAPES, 3, arguments=arguments)


@once
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_it_can_be_copied_and_pickled(copied):
    space = {"fusion": ["Summation"], "units": [4, 8]}
    model = copied(FusionHyperModel("FusionClassifier", SHAPES, 3, space))
    assert model.build(keras_tuner.HyperParameters()).output_shape == (None, 3)


def test_a_builder_must_fuse():
    with pytest.raises(ValueError, match="UnimodalClassifier fuses by no operator"):
        FusionHyperModel("UnimodalClassifier", SHAPES, 3)


@once
def test_where_nothing_fits_it_says_why(monkeypatch):
    def check(self, shapes):
        raise ValueError("no inputs are good enough")

    monkeypatch.setattr(layers.Fusion, "check", check)
    with pytest.raises(ValueError, match="No operator fits.*good enough"):
        FusionHyperModel("FusionClassifier", SHAPES, 3)


@once
def test_the_loss_is_that_of_the_task():
    maps = {"a": (16, 16, 2), "b": (16, 16, 1)}
    space = {"fusion": ["Summation"], "units": [4, 8]}
    hp = keras_tuner.HyperParameters()
    dense = FusionHyperModel("MutualFormerSegmenter", maps, 1, space).build(hp)
    assert dense.output_shape == (None, 16, 16, 1)
    assert type(dense.loss).__name__ == "SaliencyLoss"
    number = FusionHyperModel("FusionClassifier", SHAPES, 1, space)
    assert type(number.build(hp).loss).__name__ == "MeanSquaredError"
    assert number.operators == ["Summation", "Concatenation"]


@once
@pytest.mark.parametrize("fusion", ["late average", "only-image"])
def test_the_bar_of_a_builder_on_tokens(fusion):
    maps = {"image": (8, 8, 1), "audio": (6, 6, 1)}
    arguments = {"patch_size": {"image": 4, "audio": 3}}
    space = {"fusion": ["Summation"], "units": [4, 8]}
    model = FusionHyperModel("MutualFormerClassifier", maps, 3, space, arguments)
    hp = keras_tuner.HyperParameters()
    hp.values["fusion"] = fusion
    built = model.build(hp)
    assert set(built.input) == set(maps) and built.output_shape == (None, 3)


def test_values_of_a_range_are_round():
    hp = keras_tuner.HyperParameters()
    spaces.draw(hp, spaces.checked({}), ["Summation"], {})
    (dropout,) = [p for p in hp.space if p.name == "dropout"]
    assert list(dropout.values) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_build_of_ones_own_uses_the_operators():
    def build(hp):
        name = hp.Choice("fusion", ["Summation", "GatedMultimodalUnit"])
        inputs = {n: keras.Input(s, name=n) for n, s in SHAPES.items()}
        fused = layers.get(name)(units=hp.Int("units", 4, 8))(list(inputs.values()))
        model = keras.Model(inputs, keras.layers.Dense(1)(fused))
        model.compile("sgd", "mse")
        return model

    hp = keras_tuner.HyperParameters()
    hp.values["fusion"] = "GatedMultimodalUnit"
    assert build(hp).output_shape == (None, 1)
    assert {p.name for p in hp.space} == {"fusion", "units"}


@once
def test_one_vector_has_nothing_to_fuse():
    model = FusionHyperModel("FusionClassifier", {"table": (5,)}, classes=3)
    assert model.operators == ["Concatenation"] and not model.baselines
    assert model.build(keras_tuner.HyperParameters()).output_shape == (None, 3)
    named = {"fusion": ["Summation"]}
    model = FusionHyperModel("FusionClassifier", {"table": (5,)}, 3, space=named)
    assert model.operators == ["Summation", "Concatenation"]
