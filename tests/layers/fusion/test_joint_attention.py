import numpy as np

from keras_fusion.layers import JointAttention
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import draw, inputs_for
from tests.layers.reference import float64
from tests.layers.token_sets import built, compare_blocks, summed_by_modality


def oracle(op, tokens):
    """Streams and weights of one sample that has these tokens."""
    lengths = [len(x) for x in tokens]
    x = np.concatenate([x + e for x, e in zip(tokens, float64(op.embeddings))])
    attended, weights = reference.token_attention(
        *reference.normed_heads(op.heads, x), op.num_heads
    )
    z = reference.residual_halves(op.halves, x, attended)
    ends = np.cumsum(lengths)[:-1]
    shares = summed_by_modality(weights, lengths)
    return np.split(z, ends), np.split(shares, ends, axis=1)


def test_numbers():
    compare_blocks(JointAttention, oracle, num_heads=2, intermediate_dim=3)


def test_without_embeddings_the_tokens_are_one_set():
    inputs = [draw(3, 2, 4), draw(3, 3, 4, seed=2)]
    op = built(JointAttention, inputs, readout=None)
    op.embeddings.assign(np.zeros((2, 4)))
    one = built(JointAttention, inputs[:1], readout=None)
    for weight, other in zip(one.weights[1:], op.weights[1:], strict=True):
        weight.assign(other)
    one.embeddings.assign(np.zeros((1, 4)))
    (whole,) = one([np.concatenate(inputs, axis=1)])
    assert_close(np.concatenate([float64(z) for z in op(inputs)], axis=1), whole)


def test_a_block_that_adds_nothing_adds_the_embeddings():
    inputs = inputs_for(JointAttention())
    op = built(JointAttention, inputs, readout=None)
    for layer in (op.halves.output_dense, op.halves.mlp[1]):
        for weight in layer.weights:
            weight.assign(np.zeros(weight.shape))
    for z, x, e in zip(op(inputs), inputs, float64(op.embeddings), strict=True):
        assert_close(z, x + e)
