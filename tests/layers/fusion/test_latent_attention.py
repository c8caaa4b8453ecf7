import numpy as np
import pytest

from keras_fusion.layers import LatentAttention, ModalityAttention
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import draw
from tests.layers.reference import dense, float64
from tests.layers.token_sets import built, summed_by_modality, token_sets, tokens_of


def oracle(op, tokens):
    """Latents `(K, U)` and weights `(N, K, M)` of one sample."""
    lengths = [len(x) for x in tokens]
    if op.modality_embedding:
        tokens = [x + e for x, e in zip(tokens, float64(op.embeddings), strict=True)]
    x = np.concatenate(tokens)
    queries = dense(op.query_dense, float64(op.latents))
    keys, values = dense(op.key_dense, x), dense(op.value_dense, x)
    attended, weights = reference.token_attention(queries, keys, values, op.num_heads)
    shares = summed_by_modality(weights, lengths)
    return dense(op.output_dense, attended), shares


@pytest.mark.parametrize("embedding", [False, True])
@pytest.mark.parametrize("readout", ["mean", "max", None])
def test_numbers(readout, embedding):
    inputs, masks, kept = token_sets()
    config = {"num_latents": 3, "num_heads": 2, "modality_embedding": embedding}
    op = built(LatentAttention, inputs, readout=readout, **config)
    fused, weights = op(inputs, return_weights=True, **masks)
    pooling = {"mean": np.mean, "max": np.max}.get(readout)
    for b in range(3):
        latents, shares = oracle(op, tokens_of(inputs, kept, b))
        assert_close(fused[b], pooling(latents, axis=0) if pooling else latents)
        assert_close(weights[b], shares)


@pytest.mark.parametrize("embedding", [False, True])
@pytest.mark.parametrize("num_heads", [1, 2])
def test_one_latent_and_one_token_each_is_modality_attention(num_heads, embedding):
    vectors = [draw(3, 4, seed=m) for m in range(3)]
    config = {"num_heads": num_heads, "modality_embedding": embedding}
    other = built(ModalityAttention, vectors, readout="query", **config)
    tokens = [x[:, None] for x in vectors]
    op = built(LatentAttention, tokens, num_latents=1, **config)
    op.latents.assign(other.learned_query)
    if embedding:
        op.embeddings.assign(other.embeddings)
    op.query_dense.set_weights([other.query_kernels[0], other.query_bias])
    op.key_dense.set_weights([other.key_kernels[0]])
    op.value_dense.set_weights([other.value_kernels[0], other.value_bias])
    op.output_dense.set_weights(other.output_dense.get_weights())
    there = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0]], bool)
    fused, weights = op(tokens, modality_mask=there, return_weights=True)
    expected, shares = other(vectors, modality_mask=there, return_weights=True)
    assert_close(fused, expected)
    assert_close(weights[:, :, 0], shares)


def test_the_order_of_tokens_has_no_influence():
    inputs = [draw(2, 5, 4), draw(2, 3, 4, seed=2)]
    op = built(LatentAttention, inputs, num_latents=2)
    assert_close(op([inputs[0][:, ::-1], inputs[1]]), op(inputs))


def test_latents_of_a_sample_without_a_token_are_zero():
    inputs = [draw(2, 5, 4), draw(2, 3, 4, seed=2)]
    op = built(LatentAttention, inputs, num_latents=2, readout=None)
    there = np.array([[False, False], [True, False]])
    latents = float64(op(inputs, modality_mask=there))
    assert not latents[0].any() and latents[1].all()
