import numpy as np
import pytest

from keras_fusion.layers import TensorFusion
from tests.conftest import assert_close
from tests.layers.cases import draw
from tests.layers.reference import dense, float64
from tests.layers.token_sets import built

WIDTHS = (3, 4, 2)


def widened(x):
    return np.append(float64(x), 1.0)


@pytest.mark.parametrize("use_bias", [True, False])
def test_numbers(use_bias):
    inputs = [draw(2, 5, width, seed=m) for m, width in enumerate(WIDTHS)]
    op = built(TensorFusion, inputs, units=6, use_bias=use_bias)
    kernel = float64(op.output_dense.kernel)
    kernel = kernel if use_bias else np.concatenate([kernel, np.zeros((1, 6))])
    kernel = kernel.reshape(*(width + 1 for width in WIDTHS), 6)
    fused = op(inputs)
    for b in range(2):
        for t in range(5):
            x, y, z = (widened(v[b, t]) for v in inputs)
            expected = np.einsum("i,j,k,ijku->u", x, y, z, kernel)
            assert_close(fused[b, t], expected)


def test_an_absent_modality_is_left_out_of_the_products():
    inputs = [draw(2, 3), draw(2, 4, seed=2)]
    op = built(TensorFusion, inputs, units=5)
    there = np.array([[True, False]] * 2)
    kernel = float64(op.output_dense.kernel).reshape(4, 5, 5)[:, -1]
    expected = np.stack([widened(x) @ kernel for x in inputs[0]])
    assert_close(op(inputs, modality_mask=there), expected)


def test_one_modality_is_a_linear_map():
    (x,) = inputs = [draw(3, 4)]
    op = built(TensorFusion, inputs, units=5)
    assert_close(op(inputs), dense(op.output_dense, np.append(x, np.ones((3, 1)), 1)))


def test_sizes_that_nobody_can_hold():
    TensorFusion().check([(None, 100)] * 3)
    with pytest.raises(ValueError, match="17,850,625 products.*use LowRankFusion"):
        TensorFusion().check([(None, 64)] * 4)
