import numpy as np
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.ops.presence import (
    Presence,
    select,
    share,
    softmax,
    weighted_sum,
)
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, modalities


def booleans(*rows):
    return ops.convert_to_tensor(np.array(rows, bool))


def test_select_keeps_nan_out_of_values_and_gradients():
    there = booleans([1, 0, 1])
    run = with_gradients(lambda arrays: (ops.sum(select(arrays[0], there) ** 2),) * 2)
    total, (gradient,) = run([np.array([[2, np.nan, 3]], "float32")])
    assert float(to_numpy(total)) == 13
    np.testing.assert_array_equal(gradient, [[4, 0, 6]])
    assert_close(
        select(draw(1, 3), ops.logical_not(there), -1)[:, ::2], -np.ones((1, 2))
    )


@pytest.mark.parametrize("shape", [(3, 4), (3, 1), (2, 1, 1, 1, 3, 4)])
def test_softmax(shape):
    logits, there = draw(*shape) * 30, draw(*shape, seed=2) > 0
    there[..., 0], there[1] = True, False
    exponentials = np.where(there, np.exp(logits.astype("float64")), 0)
    total = exponentials.sum(axis=-1, keepdims=True)
    expected = exponentials / np.where(total > 0, total, 1)
    assert_close(softmax(ops.convert_to_tensor(logits), booleans(*there)), expected)


def test_softmax_of_float16_is_float32():
    weights = softmax(ops.convert_to_tensor(np.array([[6e4, 6e4, -6e4]], "float16")))
    assert "float32" in str(weights.dtype)
    assert_close(weights, np.array([[0.5, 0.5, 0]]))


def test_softmax_is_differentiable_where_nothing_is_present():
    there = booleans([0, 0], [1, 0])
    run = with_gradients(lambda a: (ops.sum(softmax(a[0], there) * a[0]),) * 2)
    _, (gradient,) = run([draw(2, 2)])
    np.testing.assert_array_equal(gradient, [[0, 0], [1, 0]])


def test_share_is_over_what_is_present():
    weights = ops.convert_to_tensor(draw(3, 2, 5, 4))
    there = booleans([1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0])
    size = np.abs(to_numpy(weights)).mean(axis=(1, 2)) * to_numpy(there)
    expected = size / np.maximum(size.sum(axis=-1, keepdims=True), 1e-9)
    assert_close(share(weights, there), expected)
    assert_close(share(ops.zeros((2, 3))), np.zeros((2, 3)))


def test_presence_joins_both_masks():
    inputs = [ops.convert_to_tensor(x) for x in modalities(2, (2, 3, 4))]
    assert Presence.of(inputs).parts is None
    assert Presence.of(inputs, mask=[None, None]).parts is None
    there, kept = booleans([1, 0], [1, 1]), booleans([1, 1, 0], [0, 1, 0])
    whole = Presence.of(inputs, there)
    for p, column in zip(whole.parts, to_numpy(there).T, strict=True):
        np.testing.assert_array_equal(to_numpy(p), column[:, None, None])
    present = Presence.of(inputs, there, [kept, None])
    first, second = present.parts
    np.testing.assert_array_equal(to_numpy(first)[..., 0], to_numpy(kept))
    np.testing.assert_array_equal(to_numpy(second)[..., 0], [[0] * 3, [1] * 3])
    expected = [[1, 1, 0], [1, 1, 1]]
    np.testing.assert_array_equal(to_numpy(present.any())[..., 0], expected)
    assert whole.by_sample and not present.by_sample


def parts():
    """Where two sets of three tokens are present, in two samples, `(2, 2, 3, 1)`."""
    kept = np.array([[[1, 0, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]], bool)
    return kept[..., None]


def test_presence_in_every_shape_that_a_formula_needs():
    inputs = [ops.convert_to_tensor(x) for x in modalities(2, (2, 3, 4))]
    kept = parts()
    present = Presence([ops.convert_to_tensor(p) for p in kept])
    any_token = kept.any(axis=2)[..., 0].T  # (B, M)

    def same(found, expected):
        np.testing.assert_array_equal(to_numpy(found), expected)

    same(present.any(), kept[0] | kept[1])
    same(present.any_token(), any_token.any(axis=1, keepdims=True))
    same(present.modality_mask(), any_token)
    same(present.tokens(inputs), np.concatenate(kept, axis=1))
    same(present.columns(inputs), np.concatenate(kept, axis=-1))
    same(present.stack(), np.stack(kept, axis=-1))
    same(present.count(inputs), np.maximum(kept.sum(axis=0), 1))
    same(present.pick([1])[0], kept[1])
    for m in range(2):
        same(present[m], kept[m])
        same(present.samples()[m], kept[m].any(axis=1, keepdims=True))


def test_presence_of_whole_modalities_is_spread_where_positions_differ():
    inputs = [ops.ones((2, 3, 4)), ops.ones((2, 5, 4))]
    present = Presence.of(inputs, booleans([1, 0], [1, 1]))
    expected = [[1] * 3 + [0] * 5, [1] * 8]
    np.testing.assert_array_equal(to_numpy(present.tokens(inputs))[..., 0], expected)


def test_all_present_costs_nothing():
    inputs, present = [ops.ones((2, 3))] * 2, Presence()
    assert present.select(inputs) == inputs
    assert present.count(inputs) == 2
    assert present.by_sample
    nothing = [
        present.any(),
        present.any_token(),
        present.modality_mask(),
        present.stack(),
        present.columns(inputs),
        present.tokens(inputs),
        present[1],
        present.samples()[0],
        present.pick([0])[0],
    ]
    assert nothing == [None] * len(nothing)


def test_select_and_weighted_sum():
    inputs = [ops.convert_to_tensor(x) for x in modalities(2, (2, 3))]
    present = Presence([booleans([0], [1]), booleans([1], [1])])
    kept = present.select(inputs)
    total = weighted_sum([ops.convert_to_tensor(2.0), ops.ones((2, 1))], kept)
    a, b = (to_numpy(x) for x in inputs)
    assert_close(total, 2 * a * [[0], [1]] + b)
    half = weighted_sum([ops.ones(1)], [ops.cast(inputs[0], "float16")])
    assert "float16" in str(half.dtype)
