import numpy as np
import pytest

from keras_fusion.layers import ScalarWeighting
from tests.conftest import assert_close
from tests.layers.cases import modalities, randomize, some_absent
from tests.layers.reference import float64, softmax

CONSTRAINTS = pytest.mark.parametrize("constraint", [None, "affine", "convex"])


def built(inputs, **config):
    op = ScalarWeighting(**config)
    op(inputs)
    return randomize(op)


def constrained(raw, constraint):
    """From free numbers of the present modalities, axis 0, to their weights."""
    if constraint == "affine":
        return raw + (1 - raw.sum(axis=0)) / len(raw)
    return softmax(raw, axis=0) if constraint == "convex" else raw


@CONSTRAINTS
@pytest.mark.parametrize("per", ["modality", "channel", "element"])
def test_numbers(per, constraint):
    inputs, there = modalities(), some_absent(3)
    op = built(inputs, per=per, constraint=constraint)
    raw = float64(op.weighting)
    assert raw.shape == (3, *{"modality": (), "channel": (4,), "element": (2, 4)}[per])
    fused, weights = op(inputs, modality_mask=there, return_weights=True)
    assert tuple(weights.shape) == (3, 2, 4, 3)
    for b in range(2):  # nothing is present in the third
        (present,) = np.nonzero(there[b])
        a = constrained(raw[present], constraint)
        assert_close(fused[b], sum(w * inputs[m][b] for w, m in zip(a, present)))
        assert_close(weights[b, :, :, 0], np.broadcast_to(a[0], (2, 4)))


@CONSTRAINTS
def test_starts_from_the_mean(constraint):
    inputs = modalities(5)
    assert_close(
        ScalarWeighting(constraint=constraint)(inputs), np.mean(inputs, axis=0)
    )


def test_convex_weights_with_equal_logits_are_the_mean():
    inputs = modalities(5)
    op = built(inputs, constraint="convex")
    op.weighting.assign(np.full(5, 7.0))
    assert_close(op(inputs), np.mean(inputs, axis=0))


def test_affine_weights_of_two_are_free_beyond_zero_and_one():
    a, b = modalities(2)
    op = built([a, b], constraint="affine")
    op.weighting.assign([2.0, -1.0])
    assert_close(op([a, b]), 2 * a - b)
    op.weighting.assign([3.0, 1.0])  # only the difference matters
    assert_close(op([a, b]), 1.5 * a - 0.5 * b)
    op.weighting.assign([9.0, 7.0])
    assert_close(op([a, b]), 1.5 * a - 0.5 * b)


def test_weights_of_elements_refuse_other_sizes():
    op = ScalarWeighting(per="element")
    op(modalities(2))
    assert tuple(op(modalities(2, (1, 2, 4))).shape) == (1, 2, 4)
    with pytest.raises(ValueError, match="positions .2,.; received .3, 5, 4."):
        op(modalities(2, (3, 5, 4)))
