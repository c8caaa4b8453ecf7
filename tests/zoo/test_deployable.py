import keras
import numpy as np
import pytest

from keras_fusion import datasets, ops, zoo
from keras_fusion.datasets.standardization import measure
from keras_fusion.layers import Standardization
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import SHAPES, VECTORS, draw, randomize

OPTIONS = {"units": 4, "modality_mask": True}
WEIGHING = OPTIONS | {"fusion": "ModalityAttention"}


@pytest.fixture(scope="module")
def raw():
    """Raw rows: with single NaN cells, with absent modalities, constant features."""
    inputs = {
        name: 20 * x + 5 for name, x in draw(SHAPES | VECTORS, rows=12, seed=2).items()
    }
    inputs["a"][:, 1] = 7
    for name in SHAPES | VECTORS:
        inputs[name][0].flat[0] = np.nan
    inputs["a"][1] = np.nan
    inputs["pose"][1] = np.nan
    inputs["video"][2] = np.nan
    return inputs


@pytest.mark.parametrize("shapes", [VECTORS, SHAPES], ids=["vectors", "ranks"])
@pytest.mark.parametrize("builder", ["FusionClassifier", "LateFusionClassifier"])
def test_raw_features_give_the_models_numbers(builder, shapes, raw, tmp_path):
    raw = {name: raw[name] for name in shapes}
    statistics = measure(raw)
    standardized, _ = datasets.standardize(raw, statistics)
    mask = {"modality_mask": datasets.modality_mask(raw)}
    model = randomize(
        zoo.builders()[builder](
            shapes, 3, **(WEIGHING if builder == "FusionClassifier" else OPTIONS)
        )
    )
    zoo.deployable(model, statistics).save(tmp_path / "model.keras")
    served = keras.models.load_model(tmp_path / "model.keras", compile=False)
    everything = {"modality_mask": np.ones_like(mask["modality_mask"])}
    outputs = served(raw | everything)
    assert_close(outputs["probabilities"], model(standardized | mask))
    if builder == "FusionClassifier":
        expected = zoo.modality_weights(model, standardized | mask)
        assert_close(outputs["modality_weights"], expected)
        head = model.get_layer("predictions")
        assert_close(head(outputs["embedding"]), outputs["probabilities"])
    else:
        assert list(outputs) == ["probabilities"]


@pytest.mark.only_on("torch", reason="the measure is tested everywhere")
def test_uncertainty_where_it_is_asked_for():
    model = randomize(zoo.FusionClassifier(VECTORS, 3, **OPTIONS))
    inputs = draw(VECTORS) | {"modality_mask": np.ones((3, 3), bool)}
    found = zoo.deployable(model, {}, uncertainty="entropy")(inputs)
    assert_close(found["uncertainty"], ops.uncertainty(found["probabilities"]))
    number = zoo.FusionModel(VECTORS, "regression", units=4)
    with pytest.raises(ValueError, match=r"models of classes; .* \['predictions'\]"):
        zoo.deployable(number, {}, uncertainty="entropy")


@pytest.mark.parametrize("kind", ["feature", "modality", "quantile", "none"])
@pytest.mark.parametrize("unit", [1e-30, 1e-9, 1.0, 1e20])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_saved_and_trained_models_scale_alike(kind, unit, offset, tmp_path):
    if kind == "none" and unit != 1:
        pytest.skip("these numbers are for no network as they are")
    raw = {"a": (draw({"a": (3,)}, rows=40)["a"].astype("float64") + offset) * unit}
    raw["a"] = raw["a"].astype("float32")  # which a served model takes
    raw["a"][0, 1] = np.nan
    statistics = measure(raw, scale={"a": kind})
    standardized, _ = datasets.standardize(raw, statistics)
    model = randomize(zoo.UnimodalClassifier({"a": (3,)}, 3, units=4))
    zoo.deployable(model, statistics).save(tmp_path / "model.keras")
    served = keras.models.load_model(tmp_path / "model.keras", compile=False)
    expected = to_numpy(model(standardized))
    np.testing.assert_allclose(
        to_numpy(served(raw)["probabilities"]), expected, atol=1e-5
    )


@pytest.mark.only_on("torch", "tensorflow", reason="JAX has no float64 by itself")
@pytest.mark.parametrize(
    "smallest, numbers",
    [(1, 1_700_000_000 + np.arange(40)), (0.01, 101_325 + 0.01 * np.arange(40))],
    ids=["seconds", "pressure"],
)
def test_small_differences_of_large_numbers_are_kept(smallest, numbers, tmp_path):
    """float32 holds the seconds of today by steps of 128."""
    raw = {"a": np.asarray(numbers)[:, None]}
    statistics = measure(raw)
    standardized, _ = datasets.standardize(raw, statistics)
    model = randomize(zoo.UnimodalClassifier({"a": (1,)}, 3, units=4))
    zoo.deployable(model, statistics).save(tmp_path / "model.keras")
    served = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert served.input["a"].dtype == "float64"
    answers = served({"a": raw["a"].astype("float64")})["probabilities"]
    assert_close(answers, model(standardized))
    assert len(np.unique(to_numpy(answers)[:, 0])) > 30


def test_the_caller_may_leave_out_more(raw):
    raw = {name: raw[name] for name in VECTORS}
    model = randomize(zoo.FusionClassifier(VECTORS, 3, **WEIGHING))
    served = zoo.deployable(model, measure(raw))
    mask = np.tile([True, True, False], (12, 1))
    left_out = served(raw | {"modality_mask": mask})
    absent = served(
        raw | {"c": np.full_like(raw["c"], np.nan), "modality_mask": mask | True}
    )
    assert_close(left_out["probabilities"], absent["probabilities"])
    assert not np.any(to_numpy(left_out["modality_weights"])[:, 2])


def test_regression_is_called_predictions(raw):
    raw = {name: raw[name] for name in VECTORS}
    model = zoo.FusionClassifier(VECTORS, 1, classifier_activation=None, **WEIGHING)
    served = zoo.deployable(model, measure(raw))
    assert list(served.output) == ["predictions", "modality_weights", "embedding"]


def test_a_model_of_graphs_is_exported_itself():
    model = zoo.GraphNodeClassifier({"words": 5}, 3)
    with pytest.raises(ValueError, match="nodes of a graph.*export the model itself"):
        zoo.deployable(model, {"words": (0.0, 1.0)})


def test_inputs_that_do_not_fit_the_model():
    model = zoo.FusionClassifier(VECTORS, 3, units=4)
    inputs = draw(VECTORS)
    with pytest.raises(ValueError, match="b"):
        model({name: x for name, x in inputs.items() if name != "b"})
    with pytest.raises(ValueError, match="shape"):
        model(inputs | {"a": inputs["a"][:, None]})


@pytest.mark.parametrize("scale", ["feature", "modality", "quantile", "none"])
def test_what_is_saved_standardizes_as_training_does(scale):
    """Over wide ranges of mean and deviation; the rows hold float32 numbers."""
    rng = np.random.default_rng(0)
    means, deviations = [], []
    for power in (-30, -20, -9, -7, -3, 0, 3, 7, 19, 30):
        for ratio in (0, 1, 1e3, 7e6):  # of the mean to the deviation
            deviations.append(10.0**power)
            means.append(ratio * 10.0**power)
    means, deviations = np.array(means), np.array(deviations)
    if scale == "modality":  # one deviation for all
        deviations = np.full_like(deviations, 1.4)
        means = np.minimum(means, 1e7)
    rows = means + deviations * rng.normal(size=(40, len(means)))
    rows = np.float32([*rows.tolist(), [101325.01] * len(means)][:40])
    rows[3, ::5] = np.nan
    (learned,) = measure({"a": rows}, scale={"a": scale}).values()
    layer = Standardization(33 if scale == "quantile" else 0, dtype="float32")
    layer.build(rows.shape)
    layer.set_moments(*learned, learned.fill, learned.knots, learned.scores)
    expected = np.where(np.isnan(rows), learned.fill, learned(rows))
    assert_close(layer(rows), expected.astype("float32"))


def test_whole_numbers_are_served_as_they_are(raw):
    ids = np.arange(12, dtype="int32")[:, None] % 7
    embedding = {"class_name": "Embedding", "config": {"input_dim": 7, "output_dim": 2}}
    shapes, inputs = {"ids": (1,), "b": (3,)}, {"ids": ids, "b": raw["b"]}
    encoders = {"ids": [embedding, {"class_name": "Flatten"}]}
    model = randomize(zoo.FusionClassifier(shapes, 3, encoders=encoders, **OPTIONS))
    scale = measure(inputs, scale={"ids": "none"})
    served = zoo.deployable(model, scale)
    everything = {"modality_mask": np.ones((12, 2), bool)}
    standard, _ = datasets.standardize(inputs, scale)
    expected = model(standard | everything)
    assert_close(served(inputs | everything)["probabilities"], expected)
