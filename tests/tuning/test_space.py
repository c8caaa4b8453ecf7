import keras_tuner
import pytest

from keras_fusion import layers
from keras_fusion.tuning import FusionHyperModel
from keras_fusion.tuning import space as spaces

SHAPES = {"a": (5,), "b": (3,)}


def point(fusion, space=None, **values):
    """What is drawn under this fusion, and the hyperparameters that were active."""
    hp = keras_tuner.HyperParameters()
    hp.values = {"fusion": fusion} | values
    names = list(layers.operators())
    bars = ["late average", "only-a"]
    drawn = spaces.draw(hp, spaces.checked(space or {}), names, bars)
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


def test_every_choice_is_an_argument_of_its_operator():
    for name, operator in layers.operators().items():
        for argument, values in operator.choices.items():
            for value in values:
                assert getattr(operator(**{argument: value}), argument) == value, name


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
        ({"fusion": []}, "must list operators"),
        ({"fusion": ["Sumation"]}, "Sumation.*Summation"),
        ({"width": [1, 2]}, r"Unknown hyperparameters \['width'\]"),
    ],
)
def test_bad_spaces_are_refused(space, sentence):
    with pytest.raises(ValueError, match=sentence):
        spaces.checked(space)


def test_operators_that_do_not_fit_are_left_out_or_give_their_reason(monkeypatch):
    def check(self, shapes):
        raise ValueError("three are too many")

    monkeypatch.setattr(layers.Summation, "check", check)
    fitting = FusionHyperModel("FusionClassifier", SHAPES, 3).operators
    assert "Summation" not in fitting and "Averaging" in fitting
    with pytest.raises(ValueError, match="Summation does not fit.*too many"):
        FusionHyperModel("FusionClassifier", SHAPES, 3, {"fusion": ["Summation"]})


def test_a_builder_gets_what_it_takes():
    space = {"fusion": ["Summation"]}
    model = FusionHyperModel("GraphNodeClassifier", SHAPES, 3, space)
    assert "encoder_depth" not in model.space and "depth" in model.space
    assert model.build(keras_tuner.HyperParameters()).output_shape == (None, 3)


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
