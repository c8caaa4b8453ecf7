import keras
import numpy as np
import pytest

from keras_fusion.layers import ModalityCorruption
from tests.conftest import to_numpy

X = np.random.default_rng(0).normal(size=(400, 3, 2)).astype("float32")


def corrupted(**kwargs):
    return to_numpy(ModalityCorruption(seed=0, **kwargs)(X, training=True))


def changed(y):
    return np.any(y != X, axis=(1, 2))


@pytest.mark.parametrize("kind", ["noise", "conflict", "zeros"])
def test_a_share_of_the_samples_is_corrupted_and_no_other(kind):
    y = corrupted(rate=0.3, kinds=[kind])
    rows = changed(y)
    assert 0.2 < rows.mean() < 0.4
    if kind == "zeros":
        assert not y[rows].any()
    elif kind == "conflict":  # every one of them is a whole other row
        same = (y[rows, None] == X[None]).all(axis=(2, 3))
        assert (same.sum(axis=1) == 1).all()
    else:
        deviations = (y - X)[rows].std(axis=(1, 2))
        assert deviations.max() < 5 and deviations.min() < 0.3 < deviations.max()


def test_each_kind_has_its_turn():
    y = corrupted(rate=0.9)
    there = (X[None] == y[:, None]).all(axis=(2, 3))
    zeros = ~y.any(axis=(1, 2))
    conflict = there.any(axis=1) & changed(y)
    noise = changed(y) & ~zeros & ~conflict
    for rows in (zeros, conflict, noise):
        assert 0.2 < rows.mean() < 0.4


def test_nothing_is_corrupted_in_use():
    layer = ModalityCorruption(0.9)
    assert np.all(to_numpy(layer(X)) == X)
    assert np.all(to_numpy(ModalityCorruption(0.0)(X, training=True)) == X)


def test_a_single_row_has_nothing_to_conflict_with():
    layer = ModalityCorruption(0.99, kinds=["conflict"])
    assert np.all(to_numpy(layer(X[:1], training=True)) == X[:1])


def test_it_is_saved_and_trains(tmp_path):
    x = keras.Input((3, 2))
    y = keras.layers.Dense(1)(keras.layers.Flatten()(ModalityCorruption(0.5)(x)))
    model = keras.Model(x, y)
    model.compile("sgd", "mse")
    model.fit(X, X[:, 0, 0], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_config()["kinds"] == ["noise", "conflict", "zeros"]


@pytest.mark.parametrize("wrong", [{"rate": 1.0}, {"kinds": ["fog"]}, {"kinds": []}])
def test_what_it_cannot_be(wrong):
    with pytest.raises(ValueError, match="ModalityCorruption expects"):
        ModalityCorruption(**wrong)
