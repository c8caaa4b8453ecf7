import numpy as np

from keras_fusion.layers import BottleneckAttention
from tests.conftest import assert_close
from tests.layers import reference
from tests.layers.cases import inputs_for
from tests.layers.reference import float64
from tests.layers.token_sets import built, compare_blocks


def ask(op, m, asking, tokens, latents):
    """What tokens receive from those of modality m and latents, and the weights."""
    queries = reference.normed_heads(op.heads[m], asking)[0]
    asked = np.concatenate([tokens[m], latents])
    _, keys, values = reference.normed_heads(op.heads[m], asked)
    return reference.token_attention(queries, keys, values, op.num_heads)


def oracle(op, tokens):
    """Streams and weights of one sample that has these tokens."""
    latents = float64(op.latents)
    present = [m for m, x in enumerate(tokens) if len(x)]
    told = [
        latents
        + reference.dense(
            op.halves[m].output_dense, ask(op, m, latents, tokens, latents)[0]
        )
        for m in present
    ]
    read = np.mean(told, axis=0)
    streams, shares = [], []
    for m, x in enumerate(tokens):
        attended, weights = ask(op, m, x, tokens, read)
        streams.append(reference.residual_halves(op.halves[m], x, attended))
        share = np.zeros((*weights.shape[:2], len(tokens)))
        share[..., m] = weights[..., : len(x)].sum(axis=-1)
        share[..., present] += weights[..., len(x) :].mean(axis=-1, keepdims=True) * (
            len(latents) / len(present)
        )
        shares.append(share)
    return streams, shares


def test_numbers():
    compare_blocks(BottleneckAttention, oracle, num_heads=2, num_latents=3)


def test_modalities_exchange_in_one_block_through_the_latents_alone():
    inputs = inputs_for(BottleneckAttention(), 2)
    op = built(BottleneckAttention, inputs, readout=None)
    first = float64(op(inputs)[0])
    moved = [inputs[0], inputs[1] + 1 - 2 * np.eye(4, dtype="float32")[0]]
    changed = float64(op(moved)[0])
    assert np.all(np.any(np.abs(changed - first) > 1e-4, axis=-1))
    for halves in op.halves:  # nothing is told to the latents, nor read from them
        halves.output_dense.kernel.assign(np.zeros((4, 4)))
    assert_close(op(moved)[0], op(inputs)[0])
