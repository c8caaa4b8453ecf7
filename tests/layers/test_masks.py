"""Laws about the masks of tokens."""

import keras
import numpy as np
import pytest
from keras import tree

from tests.conftest import assert_close, to_numpy
from tests.layers.cases import WIDTH, each_case, modalities, query_for, some_absent

MARK = 3.0  # the value that Masking takes for padding
KEPT = np.array([[[1, 0, 1], [1, 1, 1]], [[1, 0, 0], [1, 1, 0]], [[0, 0, 1]] * 2], bool)


def padded(filler):
    """Three modalities of three tokens; the second of sample 0 is nowhere."""
    masks = [KEPT[:, m % 2] for m in range(3)]
    masks[1] = masks[1] & [[True, False, True], [True] * 3, [True] * 3]
    inputs = modalities(shape=(3, 3, WIDTH))
    filler = np.float32(filler)
    return [
        np.where(k[..., None], x, filler) for k, x in zip(masks, inputs, strict=True)
    ], masks


def fused(op, inputs, **kwargs):
    outputs = op(inputs, **query_for(op, inputs), **kwargs)
    return [to_numpy(y) for y in tree.flatten(outputs)]


@each_case
def test_padding_has_no_influence_and_comes_out_as_zeros(case):
    inputs, masks = padded(0.5)
    op = case.operator(inputs)
    expected = fused(op, inputs, mask=masks)
    for filler in (np.nan, 1e30):
        for a, b in zip(
            fused(op, padded(filler)[0], mask=masks), expected, strict=True
        ):
            np.testing.assert_array_equal(a, b)
    nowhere = ~np.any(masks, axis=0)
    assert nowhere.any()
    assert all(not y[nowhere].any() for y in expected)
    assert any(y[~nowhere].any(axis=-1).all() for y in expected) or op.returns_streams


@pytest.mark.parametrize("absent", [False, True], ids=["", "and modality_mask"])
@each_case
def test_attached_masks_are_honoured(case, absent):
    inputs, masks = padded(MARK)
    inputs[2] = modalities(shape=(3, 3, WIDTH))[2]
    op = case.operator(inputs)
    kwargs = {"modality_mask": some_absent(3)} if absent else {}
    expected = fused(op, inputs, mask=[*masks[:2], None], **kwargs)
    attach = keras.layers.Masking(MARK)
    attached = [attach(x) for x in inputs[:2]] + inputs[2:]
    for a, b in zip(fused(op, attached, **kwargs), expected, strict=True):
        assert_close(a, b)
    for a, b in zip(fused(op, inputs, **kwargs), expected, strict=True):
        assert not np.allclose(a, b, atol=1e-3)


@each_case
def test_the_mask_handed_on(case):
    inputs, masks = padded(MARK)
    op = case.operator(inputs)
    attached = [keras.layers.Masking(MARK)(x) for x in inputs]
    outputs = tree.flatten(op(attached, **query_for(op, inputs)))
    expected = masks if op.returns_streams else [np.any(masks, axis=0)]
    for y, mask in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(to_numpy(y._keras_mask), mask)
    if not op.returns_streams:  # where one modality has all tokens, so has the output
        y = op([*attached[:2], inputs[2]], **query_for(op, inputs))
        assert getattr(y, "_keras_mask", None) is None


@each_case
def test_the_length_of_the_padding_has_no_influence(case):
    if case.config.get("per") == "element":
        return  # its weights fix the number of frames
    inputs = modalities(shape=(3, 2, 1, 1, WIDTH))  # volumes, which some operators pool
    op = case.operator(inputs)
    query = query_for(op, inputs)
    short = tree.flatten(op(inputs, **query))
    longer = [np.concatenate([x, x[:, :1]], axis=1) for x in inputs]
    longer_query = {k: np.concatenate([q, q[:, :1]], axis=1) for k, q in query.items()}
    kept = np.array([[True, True, False]] * 3)
    long = tree.flatten(op(longer, **longer_query, mask=[kept] * 3))
    for a, b in zip(short, long, strict=True):
        assert_close(to_numpy(b)[:, :2], a)
