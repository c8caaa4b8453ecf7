import numpy as np
import pytest

from keras_fusion.layers import CrossAttention
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import inputs_for, modalities
from tests.layers.reference import float64
from tests.layers.token_sets import built, compare_blocks, summed_by_modality


def oracle(op, tokens):
    """Streams and weights of one sample that has these tokens."""
    streams, shares = list(tokens), []
    parts = [reference.normed_heads(h, x) for h, x in zip(op.heads, tokens)]
    for m, halves in enumerate(op.halves):
        others = [j for j in range(len(tokens)) if j != m]
        keys, values = (np.concatenate([parts[j][p] for j in others]) for p in (-2, -1))
        attended, weights = reference.token_attention(
            parts[m][0], keys, values, op.num_heads
        )
        streams[m] = reference.residual_halves(halves, tokens[m], attended)
        share = summed_by_modality(weights, [len(tokens[j]) for j in others])
        shares.append(np.insert(share, m, 0, axis=-1))
    return streams, shares


@pytest.mark.parametrize("queries", ["all", "first"])
@pytest.mark.parametrize("count", [2, 3])
def test_numbers(count, queries):
    compare_blocks(CrossAttention, oracle, count, num_heads=2, queries=queries)


def test_tokens_of_one_modality_do_not_see_each_other():
    inputs = inputs_for(CrossAttention(), 2)
    op = built(CrossAttention, inputs, readout=None)
    first, second = (float64(z) for z in op(inputs))
    inputs[0][:, 0, 0] += 1
    changed = [float64(z) for z in op(inputs)]
    assert_close(changed[0][:, 1:], first[:, 1:])
    assert np.all(np.any(np.abs(changed[1] - second) > 1e-4, axis=-1))


def test_swapping_the_modalities_swaps_the_streams():
    inputs = modalities(2)
    op = built(CrossAttention, inputs, readout=None)
    swapped = built(CrossAttention, inputs, readout=None)
    for mine, theirs in ((op.heads, swapped.heads), (op.halves, swapped.halves)):
        for own, other in zip(mine, reversed(theirs), strict=True):
            other.set_weights(own.get_weights())
    for z, back in zip(op(inputs), swapped(inputs[::-1])[::-1], strict=True):
        assert_close(z, back)
