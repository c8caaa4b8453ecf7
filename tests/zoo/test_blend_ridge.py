import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.layers import LinearFeatures
from keras_fusion.zoo.blend_ridge import STRENGTHS, ridge
from tests.conftest import assert_close, to_numpy

COLUMNS = [{"edges": [-1.0, 0.0, 1.0]}, {"codes": 3}, {"width": 1}]
TABLE = [
    {"class_name": "ColumnEmbedding", "config": {"columns": COLUMNS, "units": 4}},
    {"class_name": "Flatten"},
    {"class_name": "Dense", "config": {"units": 4}},
]
ENCODERS = {"table": TABLE}
SHAPES = {"table": (4,), "image": (4, 4, 1), "vector": (2,)}


def build(**arguments):
    options = {"units": 4, "encoders": ENCODERS, "classifier_activation": None}
    return zoo.FusionClassifier(SHAPES, 1, **options | arguments)


def rows(count=12):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(count, 4))
    table[:, 1] = np.arange(count) % 4 == 0
    table[:, 2] = np.arange(count) % 3
    inputs = {"table": table, "image": rng.normal(size=(count, 4, 4, 1))}
    inputs["vector"] = rng.normal(size=(count, 2))
    return {name: x.astype("float32") for name, x in inputs.items()}


def features(inputs):
    """Both numbers, the flag, the width, the categories, and the vector."""
    table = inputs["table"]
    codes = np.eye(3)[table[:, 2].astype(int)]
    return np.concatenate([table[:, [0, 1, 3]], codes, inputs["vector"]], axis=1)


@pytest.mark.parametrize("heads", [None, "average"])
def test_the_share_of_the_network_is_that_of_the_least_squares(heads):
    inputs, unseen = rows(), rows(20)
    noise = np.random.default_rng(1)
    targets = features(inputs) @ np.arange(1, 9) / 8 + noise.normal(size=12)
    model = build(heads=heads)
    network = model.predict(unseen, verbose=0).astype(np.float64)
    kernel, intercept = ridge(features(inputs).astype(np.float64), targets[:, None])
    linear = features(unseen) @ kernel + intercept
    wanted = 0.3 * network + 0.7 * linear
    share = zoo.blend_ridge(model, inputs, targets, unseen, wanted[:, 0])
    assert share == pytest.approx(0.3, abs=1e-4)
    assert_close(model.predict(unseen, verbose=0), wanted)
    # again, with what none of both explains: the nearer one alone
    share = zoo.blend_ridge(model, inputs, targets, unseen, 2 * linear - wanted)
    assert share == 0
    assert_close(model.predict(unseen, verbose=0), linear)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("width", [3, 30])
def test_the_penalty_is_that_of_the_least_error_on_rows_left_out(width):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, width)), rng.normal(size=(20, 2))
    y += x[:, :2]
    kernel, intercept = ridge(x, y)
    centered, best = x - x.mean(axis=0), (np.inf, None)
    unit = np.square(centered).sum(axis=0).mean()

    def solved(x, y, penalty):
        """One more column, of ones, has no penalty."""
        x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        penalties = penalty * np.diag([1.0] * width + [0])
        return np.linalg.solve(x.T @ x + penalties, x.T @ y)

    for penalty in STRENGTHS * unit:
        error = 0
        for i in range(20):
            rest = np.arange(20) != i
            found = solved(x[rest], y[rest], penalty)
            error += np.square(x[i] @ found[:-1] + found[-1] - y[i]).sum()
        if error < best[0]:
            best = error, solved(x, y, penalty)
    np.testing.assert_allclose(kernel, best[1][:-1], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(intercept, best[1][-1], rtol=1e-5, atol=1e-8)


def test_what_is_absent_adds_nothing():
    inputs = rows(3)
    mask = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    there = np.repeat(mask[:, [0, 2]], (6, 2), axis=1)
    expected = np.where(there, features(inputs), 0)
    inputs["vector"][0] = inputs["table"][1] = np.nan
    model = build(modality_mask=True)
    path = keras.Model(model.input, model.get_layer("linear_path").input)
    found = to_numpy(path(inputs | {"modality_mask": mask}))
    assert_close(found, expected)


def test_a_code_that_nobody_knows_is_the_last_one():
    layer = LinearFeatures([0], [[{"codes": 3}]])
    assert_close(layer([np.array([[7.0], [-1.0]])]), np.eye(3)[[2, 0]])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_only_regression_has_a_linear_path():
    inputs = rows()
    model = zoo.FusionClassifier({"vector": 2}, 3)
    before = model.get_weights()
    x, y = {"vector": inputs["vector"]}, np.zeros(12)
    assert zoo.blend_ridge(model, x, y, x, y) is None
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert "linear_path" not in {x.name for x in model.layers}
