import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.datasets import Split
from keras_fusion.experiments.evaluation import (
    class_weights,
    full_outputs,
    missing_scores,
    paired_interval,
)
from keras_fusion.experiments.results import Interval
from keras_fusion.experiments.scores import accuracy
from keras_fusion.layers import SoftmaxGating

ROWS = 1200  # more than one batch


def split():
    """Labels 1; modality a is absent in every fourth row."""
    inputs = {name: np.ones((ROWS, 2), "float32") for name in "abc"}
    inputs["a"][::4] = np.nan
    return Split(inputs, np.ones(ROWS, int))


def believes(modality, names="abc"):
    """A model that is right just where it has this modality."""
    inputs = {name: keras.Input((2,), name=name) for name in names}
    mask = keras.Input((len(names),), dtype="bool", name="modality_mask")
    there = ops.cast(mask[:, names.index(modality)], "float32")
    outputs = ops.stack([1 - there, there], axis=-1)
    return keras.Model(inputs | {"modality_mask": mask}, outputs)


def test_each_modality_missing_and_some_at_random():
    of_a, of_b = (missing_scores(believes(m), split(), accuracy) for m in "ab")
    assert of_a["all"] == 0.75
    assert of_a["missing"] == {"a": 0, "b": 0.75, "c": 0.75}
    assert of_b["all"] == 1
    assert of_b["missing"] == {"a": 1, "b": 0, "c": 1}
    assert list(of_b["missing_random"]) == ["1", "2"]
    assert of_b["missing_random"]["1"] == pytest.approx(2 / 3, abs=0.03)
    assert of_b["missing_random"]["2"] == pytest.approx(1 / 3, abs=0.03)
    assert accuracy(split().labels, full_outputs(believes("a"), split())) == 0.75


def test_every_model_misses_the_same():
    """One is right with a, one with b, one with c: always M - k of them are."""
    curves = [missing_scores(believes(m), _all_there(), accuracy) for m in "abc"]
    for k in (1, 2):
        right = sum(curve["missing_random"][str(k)] for curve in curves)
        assert right == pytest.approx(3 - k)


def _all_there():
    inputs = {name: np.ones((ROWS, 2), "float32") for name in "abc"}
    return Split(inputs, np.ones(ROWS, int))


def test_a_model_of_fewer_modalities_misses_the_same():
    found, expected = (
        missing_scores(model, split(), accuracy)
        for model in (believes("b", "bc"), believes("b"))
    )
    assert found == expected


def test_paired_interval_on_paper():
    """Differences 1, 2, 3: mean 2, deviation 1, so 2 -+ 4.3027 / sqrt(3)."""
    found = paired_interval([1.0, 3.0, 5.0], [0.0, 1.0, 2.0])
    expected = 2, -0.4841, 4.4841
    assert dataclasses.astuple(found) == pytest.approx(expected, abs=1e-4)
    assert paired_interval([2.0], [0.5]) == Interval(difference=1.5)
    with pytest.raises(ValueError):
        paired_interval([1.0, 2.0], [1.0])


def test_paired_interval_is_that_of_the_t_test():
    stats = pytest.importorskip("scipy.stats")
    first = np.random.default_rng(0).normal(size=50)
    exact = stats.ttest_1samp(first, 0).confidence_interval(0.95)
    found = paired_interval(first, np.zeros(50))
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_the_weights_of_each_class():
    """A model whose gate looks at what tells the classes apart."""
    inputs = {name: keras.Input((1,), name=name) for name in "ab"}
    mask = keras.Input((2,), dtype="bool", name="modality_mask")
    fuse = SoftmaxGating(name="fusion")
    fused, _ = fuse(list(inputs.values()), modality_mask=mask, return_weights=True)
    model = keras.Model(inputs | {"modality_mask": mask}, fused)
    for weight in model.weights:
        weight.assign(np.eye(*weight.shape) if len(weight.shape) == 2 else 0 * weight)
    a = np.array([2.0, -1.0, 2.0, 2.0], "float32")[:, None]
    b = np.array([0.0, 0.0, 0.0, np.nan], "float32")[:, None]  # absent in the last row
    rows = Split({"a": a, "b": b}, np.array([0, 2, 0, 2]))
    found = class_weights(model, rows, ("x", "unseen", "z"))
    share = np.exp(a[:3, 0]) / (np.exp(a[:3, 0]) + 1)
    assert found["x"]["a"] == pytest.approx(share[0], rel=1e-5)
    assert found["z"]["a"] == pytest.approx((share[1] + 1) / 2, rel=1e-5)
    assert found["z"]["b"] == pytest.approx((1 - share[1]) / 2, rel=1e-5)
    assert list(found) == ["x", "z"]


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_no_weights_by_class_where_there_are_none():
    assert class_weights(believes("a"), split(), ("no", "yes")) == {}
    assert class_weights(believes("a"), split(), ()) == {}
