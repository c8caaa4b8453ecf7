import numpy as np
import pytest

from keras_fusion.layers import CrossDiffusionAttention
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import modalities
from tests.layers.reference import dense, float64
from tests.layers.token_sets import built, token_sets
from tests.ops.diffusion import diffusion_oracle

LENGTHS = (3, 3, 3)


def oracle(op, inputs, kept):
    """Streams `(M, B, T, U)` and weights `(B, T, M, M)`.

    Args:
        inputs: list of M arrays `(B, T, U)`, finite.
        kept: list of M arrays `(B, T)`, False where a token is missing.
    """
    parts = [
        [split(p, op.num_heads) for p in np.split(dense(heads, x), 3, axis=-1)]
        for heads, x in zip(op.heads, inputs, strict=True)
    ]
    kept = np.stack(kept)
    present = kept.any(axis=-1).T  # (B, M)
    attended, messages = diffusion_oracle.cross_diffusion(
        *map(np.stack, zip(*parts)),
        modality_mask=present,
        mask=kept,
        epsilon=op.epsilon,
        steps=op.steps,
        initial=op.initial,
        form=op.form,
    )
    count = len(inputs)
    made = np.zeros((count, count, *inputs[0].shape))  # stream, source
    for m, own in enumerate(op.own):
        made[m, m] = join(attended[m]) @ float64(own.kernel)
        sources = np.maximum(np.delete(present, m, axis=1).sum(axis=1), 1)
        for j in range(count):
            if j != m:
                message = join(messages[m, j]) / sources[:, None, None]
                made[m, j] = message @ float64(op.others[m].kernel)
    biases = np.stack([float64(own.bias) for own in op.own])
    streams = made.sum(axis=1) + biases[:, None, None]
    sizes = np.abs(made).mean(axis=-1)
    total = np.maximum(sizes.sum(axis=1, keepdims=True), 1e-30)
    weights = np.moveaxis(sizes / total, (0, 1), (2, 3))
    there = kept.any(axis=0)
    return streams * there[..., None], weights * there[..., None, None]


def split(x, num_heads):
    return np.stack(np.split(x, num_heads, axis=-1), axis=1)


def join(x):
    return np.concatenate(list(np.moveaxis(x, 1, 0)), axis=-1)


@pytest.mark.parametrize(
    "count, config",
    [
        (2, {}),
        (3, {"steps": 3, "initial": "affinity", "epsilon": 0.3}),
        (2, {"form": "released"}),
    ],
)
def test_numbers(count, config):
    inputs, masks, kept = token_sets(count, LENGTHS)
    op = built(CrossDiffusionAttention, inputs, readout=None, num_heads=2, **config)
    known = [np.nan_to_num(float64(x)) for x in inputs]
    expected, shares = oracle(op, known, kept)
    streams, weights = op(inputs, return_weights=True, **masks)
    for z, z_0 in zip(streams, expected, strict=True):
        assert_close(z, z_0)
    assert_close(weights, shares)
    for readout in ("sum", "mean", "max"):
        pooled = getattr(np, readout)(expected, axis=0)
        op.readout = readout
        assert_close(op(inputs, **masks), pooled)


def test_one_modality_is_self_attention():
    inputs = modalities(1)
    op = built(CrossDiffusionAttention, inputs, num_heads=2)
    (heads,), (own,) = op.heads, op.own
    for x, z in zip(float64(inputs[0]), op(inputs), strict=True):
        parts = np.split(dense(heads, x), 3, axis=-1)
        assert_close(z, dense(own, reference.token_attention(*parts, 2)[0]))


def test_swapping_the_modalities_swaps_the_streams():
    inputs = modalities(3)
    op, back = (
        built(CrossDiffusionAttention, inputs, readout=None, steps=2) for _ in range(2)
    )
    for name in ("heads", "own", "others"):
        pairs = zip(getattr(op, name), reversed(getattr(back, name)), strict=True)
        for mine, theirs in pairs:
            theirs.set_weights(mine.get_weights())
    for z, z_0 in zip(op(inputs), back(inputs[::-1])[::-1], strict=True):
        assert_close(z, z_0)


def test_an_absent_stream_is_rebuilt_from_the_others():
    inputs = modalities(2)
    op = built(CrossDiffusionAttention, inputs, readout=None)
    there = np.array([[True, False]] * 3)
    streams, weights = op(inputs, modality_mask=there, return_weights=True)
    assert np.all(np.abs(float64(streams[1])).max(axis=-1) > 1e-4)
    assert_close(weights, np.broadcast_to(np.float32([1, 0]), weights.shape))
