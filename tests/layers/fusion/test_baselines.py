"""Concatenation, Summation, Averaging, Maximum and Product against numpy."""

import numpy as np
import pytest

from keras_fusion import layers
from tests.conftest import assert_close
from tests.layers.cases import draw, modalities, randomize
from tests.layers.reference import dense, float64

ORACLES = {
    "Averaging": lambda xs: np.mean(xs, axis=0),
    "Concatenation": lambda xs: np.concatenate(xs, axis=-1),
    "Maximum": lambda xs: np.max(xs, axis=0),
    "Product": lambda xs: np.prod(xs, axis=0),
    "Summation": lambda xs: np.sum(xs, axis=0),
}
POOLING = sorted(set(ORACLES) - {"Concatenation"})
each = pytest.mark.parametrize("name", ORACLES)


@each
def test_numbers(name):
    inputs = modalities(4)
    assert_close(
        layers.get(name)()(inputs), ORACLES[name]([float64(x) for x in inputs])
    )


@pytest.mark.parametrize("name", POOLING)
def test_only_what_is_present_counts(name):
    inputs, there = modalities(4), np.array([[1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1]])
    fused = layers.get(name)()(inputs, modality_mask=there.astype(bool))
    for b, row in enumerate(there):
        left = [x[b] for x, p in zip(inputs, row, strict=True) if p]
        assert_close(fused[b], ORACLES[name](left))


def test_what_is_absent_from_a_concatenation_stands_as_zeros():
    inputs, there = modalities(2), np.array([[True, False]] * 3)
    fused = layers.Concatenation()(inputs, modality_mask=there)
    assert_close(fused, np.concatenate([inputs[0], 0 * inputs[1]], axis=-1))


@pytest.mark.parametrize("name", POOLING)
def test_the_order_has_no_influence(name):
    inputs = modalities(4)
    assert_close(layers.get(name)()(inputs), float64(layers.get(name)()(inputs[::-1])))


@each
def test_one_modality_passes(name):
    (x,) = modalities(1)
    assert_close(layers.get(name)()([x]), x)


@pytest.mark.parametrize("name", POOLING)
def test_projections_come_first(name):
    inputs = [draw(3, 2, width) for width in (5, 4, 3)]
    op = layers.get(name)(units=4)
    op(inputs)
    randomize(op)
    projected = [dense(d, x) for d, x in zip(op.projections, inputs, strict=True)]
    assert_close(op(inputs), ORACLES[name](projected))


def test_a_concatenation_is_projected_as_a_whole():
    inputs = [draw(3, 2, width) for width in (5, 4)]
    op = layers.Concatenation(units=3)
    op(inputs)
    randomize(op)
    assert_close(op(inputs), dense(op.output_dense, np.concatenate(inputs, axis=-1)))
