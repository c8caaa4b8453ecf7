"""Laws about the masks of tokens."""

import keras
import numpy as np
import pytest
from keras import tree

from tests.conftest import assert_close, to_numpy
from tests.layers.cases import WIDTH, draw, each_case, query_for, some_absent

MARK = 3.0  # the value that Masking takes for padding
KEPT = [  # the second token of sample 0 is nowhere, and nothing of sample 2
    np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0]], bool),
    np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0]], bool),
    np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0]], bool),
]


def padded(case, filler):
    """Inputs with `filler` in what is padding, and their masks.

    Three tokens each, or in one modality more where the operator takes them.
    """
    op = case.new()
    masks = KEPT[: op.max_modalities]
    if op.takes == "tokens" and not op.aligned_tokens:
        masks = [masks[0], np.pad(masks[1], ((0, 0), (1, 0))), *masks[2:]]
    filler = np.float32(filler)
    inputs = [draw(*kept.shape, WIDTH, seed=m) for m, kept in enumerate(masks)]
    return [np.where(k[..., None], x, filler) for k, x in zip(masks, inputs)], masks


def kept_positions(op, masks):
    """Where each output is not zero: positions, or samples if it has none."""
    if op.pools_tokens:
        return [np.any([kept.any(axis=1) for kept in masks], axis=0)]
    if op.returns_streams and not op.rebuilds_absent:
        return masks
    return [np.any(masks, axis=0)] * (len(masks) if op.returns_streams else 1)


def fused(op, inputs, **kwargs):
    outputs = op(inputs, **query_for(op, inputs), **kwargs)
    return [to_numpy(y) for y in tree.flatten(outputs)]


@each_case
def test_padding_has_no_influence_and_comes_out_as_zeros(case):
    inputs, masks = padded(case, 0.5)
    op = case.operator(inputs)
    expected = fused(op, inputs, mask=masks)
    for filler in (np.nan, 1e30):
        filled = fused(op, padded(case, filler)[0], mask=masks)
        for a, b in zip(filled, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    for y, kept in zip(expected, kept_positions(op, masks), strict=True):
        assert not kept.all() and not y[~kept].any()
        assert y[kept].any(axis=-1).all()


@each_case
def test_no_samples(case):
    if case.config.get("readout") == "max" and keras.backend.backend() == "torch":
        return  # Keras' max takes nothing empty there
    inputs = [x[:0] for x in case.inputs()]
    op = case.operator(inputs)
    there, masks = np.ones((0, len(inputs)), bool), [x[..., 0] == 0 for x in inputs]
    for kwargs in ({}, {"modality_mask": there, "mask": masks}):
        for y in fused(op, inputs, **kwargs):
            assert y.shape[0] == 0 and y.shape[-1] > 0


@pytest.mark.parametrize("absent", [False, True], ids=["", "and modality_mask"])
@each_case
def test_attached_masks_are_honored(case, absent):
    inputs, masks = padded(case, MARK)
    inputs[-1] = draw(*inputs[-1].shape, seed=9)  # has no mask
    op = case.operator(inputs)
    kwargs = {"modality_mask": some_absent(len(inputs))} if absent else {}
    expected = fused(op, inputs, mask=[*masks[:-1], None], **kwargs)
    attach = keras.layers.Masking(MARK)
    attached = [attach(x) for x in inputs[:-1]] + inputs[-1:]
    for a, b in zip(fused(op, attached, **kwargs), expected, strict=True):
        assert_close(a, b)
    for a, b in zip(fused(op, inputs, **kwargs), expected, strict=True):
        assert not np.allclose(a, b, atol=1e-3)


@each_case
def test_the_mask_handed_on(case):
    inputs, masks = padded(case, MARK)
    op = case.operator(inputs)
    attached = [keras.layers.Masking(MARK)(x) for x in inputs]
    outputs = tree.flatten(op(attached, **query_for(op, inputs)))
    if op.pools_tokens:  # there are no tokens any more
        assert getattr(outputs[0], "_keras_mask", None) is None
        return
    for y, mask in zip(outputs, kept_positions(op, masks), strict=True):
        np.testing.assert_array_equal(to_numpy(y._keras_mask), mask)
    # where one modality has all tokens, so has what is made of all of them
    outputs = op([*attached[:-1], inputs[-1]], **query_for(op, inputs))
    if not op.returns_streams or op.rebuilds_absent:
        for y in tree.flatten(outputs):
            assert getattr(y, "_keras_mask", None) is None


@each_case
def test_the_mask_handed_on_knows_of_absent_modalities(case):
    inputs, masks = padded(case, MARK)
    there = np.ones((len(masks[0]), len(masks)), bool)
    there[0] = there[1, 1] = False  # all of sample 0, and of 1 who alone has a token
    op = case.operator(inputs)
    attached = [keras.layers.Masking(MARK)(x) for x in inputs]
    query = query_for(op, inputs)
    outputs = tree.flatten(op(attached, **query, modality_mask=there))
    if op.pools_tokens or (op.returns_streams and not op.rebuilds_absent):
        return
    left = [kept & there[:, m, None] for m, kept in enumerate(masks)]
    expected = np.any(left, axis=0)
    # of what is nowhere, the mean of zeros is to be zero
    expected[~expected.any(axis=1)] = True
    for y in outputs:
        np.testing.assert_array_equal(to_numpy(y._keras_mask), expected)
        mean = keras.layers.GlobalAveragePooling1D()(y)
        assert np.isfinite(to_numpy(mean)).all()


@pytest.mark.only_on("torch", reason="padding is tried on each; this is algebra")
@each_case
def test_the_length_of_the_padding_has_no_influence(case):
    if case.config.get("per") == "element":
        return  # its weights fix the number of frames
    inputs = case.inputs()
    if case.new().takes == "aligned":  # volumes, which some operators pool
        inputs = [x[:, :, None, None] for x in inputs]
    op = case.operator(inputs)
    query = query_for(op, inputs)
    short = tree.flatten(op(inputs, **query))
    longer = [np.concatenate([x, x[:, :1]], axis=1) for x in inputs]
    longer_query = {k: np.concatenate([q, q[:, :1]], axis=1) for k, q in query.items()}
    kept = [np.pad(np.ones(x.shape[:2], bool), ((0, 0), (0, 1))) for x in inputs]
    long = tree.flatten(op(longer, **longer_query, mask=kept))
    for a, b in zip(short, long, strict=True):
        assert_close(b if op.pools_tokens else to_numpy(b)[:, :-1], a)
