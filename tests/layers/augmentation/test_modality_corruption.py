import keras
import numpy as np
import pytest

from keras_fusion.layers import ModalityCorruption
from tests.conftest import to_numpy

RNG = np.random.default_rng(0)
X = [RNG.normal(size=(400, 3, 2)).astype("float32") for _ in range(3)]


def corrupted(inputs=X, modality_mask=None, **kwargs):
    layer = ModalityCorruption(seed=0, **kwargs)
    found = layer(inputs, modality_mask=modality_mask, training=True)
    return [to_numpy(y) for y in found]


def changed(y, x):
    return np.any(y != x, axis=tuple(range(1, x.ndim)))


def of_others(y, x):
    """How many of the rows of x each row of y is."""
    return (y[:, None] == x[None]).all(axis=(2, 3)).sum(axis=1)


@pytest.mark.parametrize("kind", ["noise", "conflict", "zeros"])
def test_a_share_of_the_samples_is_corrupted_and_no_other(kind):
    for y, x in zip(corrupted(rate=0.3, kinds=[kind]), X):
        rows = changed(y, x)
        assert 0.2 < rows.mean() < 0.4
        if kind == "zeros":
            assert not y[rows].any()
        elif kind == "conflict":  # every one of them is a whole other row
            assert (of_others(y[rows], x) == 1).all()
        else:
            deviations = (y - x)[rows].std(axis=(1, 2))
            assert deviations.max() < 5 and deviations.min() < 0.3 < deviations.max()


def test_each_kind_has_its_turn():
    y, x = corrupted(rate=0.9)[0], X[0]
    zeros = ~y.any(axis=(1, 2))
    conflict = (of_others(y, x) > 0) & changed(y, x)
    noise = changed(y, x) & ~zeros & ~conflict
    for rows in (zeros, conflict, noise):
        assert 0.13 < rows.mean() < 0.31  # a third of 0.66: one is spared


def test_modalities_are_drawn_one_by_one_and_one_is_spared():
    hit = np.stack([changed(y, x) for y, x in zip(corrupted(rate=0.9), X)], axis=-1)
    counts = np.bincount(hit.sum(axis=-1), minlength=4)
    assert counts[3] == 0 and counts[1:3].all()
    assert 0.6 < hit.mean() < 0.72
    assert not changed(corrupted(X[:1], rate=0.9)[0], X[0]).any()


def test_what_is_absent_stays_and_stands_for_nobody():
    there = np.ones((400, 3), bool)
    there[::2, 0] = there[100:200, 1] = False
    there[100:200:2, 2] = False  # only the first may be left there
    inputs = [x.copy() for x in X]
    for m, x in enumerate(inputs):
        x[~there[:, m]] = np.nan
    found = corrupted(inputs, there, rate=0.9)
    for m, y in enumerate(found):
        assert np.isnan(y[~there[:, m]]).all()
        assert not np.isnan(y[there[:, m]]).any()
    hit = np.stack([changed(y, x) for y, x in zip(found, X)], axis=-1) & there
    assert (hit.sum(axis=-1) < np.maximum(there.sum(axis=-1), 1)).all()
    assert hit[:, 1].any()


def test_whole_numbers_have_no_noise():
    ids = RNG.integers(1, 2000, (400, 5))
    inputs = [keras.ops.convert_to_tensor(ids), X[0]]
    y = corrupted(inputs, rate=0.9, kinds=["noise"])
    np.testing.assert_array_equal(y[0], ids)
    assert changed(y[1], X[0]).any()
    layer = ModalityCorruption(0.9, kinds=["noise", "zeros"])
    y = layer(inputs, training=True)[0]
    assert "int" in keras.backend.standardize_dtype(y.dtype)
    y = keras.ops.convert_to_numpy(y)
    assert changed(y, ids).any() and not y[changed(y, ids)].any()


def test_nothing_is_corrupted_in_use_nor_at_a_rate_of_zero():
    for layer in (ModalityCorruption(0.9), ModalityCorruption(0.0)):
        for y, x in zip(layer(X, training=layer.rate == 0), X):
            np.testing.assert_array_equal(to_numpy(y), x)


def test_a_single_row_has_nothing_to_conflict_with():
    rows = [x[:1] for x in X]
    for y, x in zip(corrupted(rows, rate=0.99, kinds=["conflict"]), rows):
        np.testing.assert_array_equal(y, x)


def test_it_is_saved_and_trains(tmp_path):
    inputs = [keras.Input((3, 2)), keras.Input((3, 2))]
    joined = keras.layers.Concatenate()(ModalityCorruption(0.5)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(joined)))
    model.compile("sgd", "mse")
    model.fit(X[:2], X[0][:, 0, 0], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[2].get_config()["kinds"] == ["noise", "conflict", "zeros"]


@pytest.mark.parametrize("wrong", [{"rate": 1.0}, {"kinds": ["fog"]}, {"kinds": []}])
def test_what_it_cannot_be(wrong):
    with pytest.raises(ValueError, match="ModalityCorruption expects"):
        ModalityCorruption(**wrong)
