"""What becomes of the rows when an input lies."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.datasets import Split
from keras_fusion.experiments.corruption import WAYS, corrupted, corrupted_scores
from keras_fusion.experiments.scores import accuracy

ROWS = 500
RNG = np.random.default_rng(0)


def split():
    """Modality a is absent in every fourth row; c is a text."""
    inputs = {
        "a": RNG.normal(size=(ROWS, 3)).astype("float32"),
        "b": 7 * RNG.normal(size=(ROWS, 4, 2)).astype("float32"),
        "c": RNG.integers(1, 9, (ROWS, 5)),
    }
    inputs["a"][::4] = np.nan
    return Split(inputs, RNG.integers(0, 2, ROWS))


def made(way, rows=slice(None)):
    whole = split()
    hit = np.ones((ROWS, 3), bool)
    hit[1] = False
    found = corrupted(whole, way, hit)
    np.testing.assert_array_equal(found.modality_mask, whole.modality_mask)
    for name, x in found.inputs.items():
        np.testing.assert_array_equal(x[1], whole.inputs[name][1])
        parts = np.concatenate([x[i : i + 77] for i in range(0, ROWS, 77)])
        np.testing.assert_array_equal(parts, np.asarray(x))  # alike at every time
    assert np.isnan(found.inputs["a"][::4]).all()  # what is absent stays so
    changed = {name: np.asarray(x) for name, x in found.inputs.items()}
    return whole.inputs, changed, whole.modality_mask & hit


def test_noise_is_as_strong_as_the_modality():
    before, after, hit = made("noise 2")
    for m, name in enumerate("ab"):
        added = (after[name] - before[name])[hit[:, m]]
        expected = 2 * np.nanstd(before[name])
        assert added.std() == pytest.approx(expected, rel=0.1)
        assert abs(added.mean()) < 0.15 * expected
    assert after["b"].dtype == before["b"].dtype == np.float32
    np.testing.assert_array_equal(after["c"], before["c"])


def test_another_sample_is_a_whole_row_that_is_there():
    before, after, hit = made("another sample")
    for m, name in enumerate("abc"):
        there = {
            row.tobytes()
            for row in before[name][
                ~np.isnan(before[name] * 1.0).reshape(ROWS, -1).any(axis=1)
            ]
        }
        rows = after[name][hit[:, m]]
        assert all(row.tobytes() in there for row in rows)
    for name in "ab":
        rows = hit[:, "ab".index(name)]
        same = (after[name] == before[name])[rows].reshape(rows.sum(), -1).all(axis=1)
        assert not same.any()


def test_zeros_are_zeros():
    _, after, hit = made("zeros")
    assert not any(after[name][hit[:, m]].any() for m, name in enumerate("abc"))


def test_scores_are_of_the_rows_that_lie():
    """A model that says class 1 where a is positive, and knows nothing of b."""
    a = np.where(np.arange(ROWS) % 2, 1.0, -1.0).astype("float32")[:, None]
    rows = Split({"a": a, "b": a}, (a[:, 0] > 0).astype(int))
    inputs = {name: keras.Input((1,), name=name) for name in "ab"}
    mask = keras.Input((2,), dtype="bool", name="modality_mask")
    there = ops.cast(inputs["a"] > 0, "float32")
    outputs = ops.concatenate([1 - there, there], axis=-1)
    model = keras.Model(inputs | {"modality_mask": mask}, outputs)
    found = corrupted_scores(model, rows, accuracy)
    assert found["each"]["b"] == dict.fromkeys(WAYS, 1.0)
    of_a = found["each"]["a"]
    assert 1.0 > of_a["noise 0.5"] > of_a["noise 1"] > of_a["noise 4"] > 0.5
    assert of_a["zeros"] == 0.5
    assert of_a["another sample"] == pytest.approx(0.5, abs=0.1)
    assert found["random"]["zeros"]["1"] == pytest.approx(0.75, abs=0.05)
