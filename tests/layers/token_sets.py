"""Sets of tokens of which some are missing, and how outputs are compared where not."""

import numpy as np

from tests.conftest import assert_close
from tests.layers.cases import WIDTH, draw, randomize
from tests.layers.reference import float64

THERE = np.array([[1, 1, 1], [1, 1, 1], [1, 0, 1]], bool)  # (B, M)
LENGTHS = (2, 3, 2)


def token_sets(count=3, lengths=LENGTHS):
    """Inputs, token masks and `modality_mask`; NaN stands in what is missing."""
    masks = [np.ones((3, t), bool) for t in lengths[:count]]
    masks[-1][1, 0] = False
    there = THERE[:, :count].copy()
    kept = [mask & row[:, None] for mask, row in zip(masks, there.T)]
    inputs = [
        np.where(k[..., None], draw(*k.shape, WIDTH, seed=m), np.float32(np.nan))
        for m, k in enumerate(kept)
    ]
    return inputs, {"mask": masks, "modality_mask": there}, kept


def tokens_of(inputs, kept, sample):
    """The tokens that one sample has of each modality, in float64."""
    return [float64(x[sample][k[sample]]) for x, k in zip(inputs, kept)]


def built(layer, inputs, **config):
    """An operator with random weights in all it has."""
    op = layer(**config)
    query = [draw(*inputs[0].shape)] if op.uses_query else []
    op.build(*([x.shape for x in inputs], *[q.shape for q in query]))
    return randomize(op)


def compare_blocks(layer, oracle, count=3, **config):
    """Streams, both readouts and weights against an oracle of one sample.

    Args:
        oracle: `oracle(op, tokens)`, from the tokens that a sample has to its streams
            and weights, lists of `(T, U)` and of `(N, T, M)`.
    """
    inputs, masks, kept = token_sets(count)
    op = built(layer, inputs, readout=None, **config)
    streams, weights = op(inputs, return_weights=True, **masks)
    pooled = {}
    for readout in ("mean", "max"):
        pooling = built(layer, inputs, readout=readout, **config)
        pooled[readout] = pooling(inputs, **masks)
    for b in range(3):
        expected, shares = oracle(op, tokens_of(inputs, kept, b))
        for z, k, z_0 in zip(streams, kept, expected, strict=True):
            assert_close(float64(z)[b][k[b]], z_0)
        asking = np.concatenate([k[b] for k in kept[: len(shares)]])
        rows = np.concatenate(shares, axis=1)
        assert_close(float64(weights)[b][:, asking], rows)
        assert not float64(weights)[b][:, ~asking].any()
        joined = np.concatenate(expected)
        assert_close(pooled["mean"][b], joined.mean(axis=0))
        assert_close(pooled["max"][b], joined.max(axis=0))


def summed_by_modality(weights, lengths):
    """`(N, Q, sum T)` to `(N, Q, M)`."""
    ends = np.cumsum(lengths)
    parts = [weights[..., e - t : e].sum(axis=-1) for t, e in zip(lengths, ends)]
    return np.stack(parts, axis=-1)
