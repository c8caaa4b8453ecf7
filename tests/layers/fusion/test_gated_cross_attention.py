import numpy as np
import pytest

from keras_fusion.layers import CrossAttention, GatedCrossAttention
from tests.conftest import assert_close, to_numpy
from tests.layers import reference
from tests.layers.cases import draw, inputs_for
from tests.layers.fusion import test_cross_attention
from tests.layers.reference import dense, float64, layer_norm
from tests.layers.token_sets import built, compare_blocks, token_sets, tokens_of


def gated(layer, x, attended):
    """What a `GatedHalves` with GELU computes."""
    first, second = (np.tanh(float64(layer.gates[h])) for h in ("attention", "mlp"))
    x = x + first * dense(layer.output_dense, attended)
    return x + second * reference.mlp(layer.mlp, layer_norm(layer.norm, x))


def oracle(op, tokens):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "residual_halves", gated)
        return test_cross_attention.oracle(op, tokens)


@pytest.mark.parametrize("count", [2, 3])
def test_numbers_where_all_ask(count):
    compare_blocks(GatedCrossAttention, oracle, count, num_heads=2, queries="all")


@pytest.mark.parametrize("readout", ["mean", "max"])
def test_numbers_where_the_first_asks(readout):
    inputs, masks, kept = token_sets()
    masks["modality_mask"][1, 0] = False
    kept[0] = kept[0] & masks["modality_mask"][:, :1]
    op = built(GatedCrossAttention, inputs, num_heads=2, readout=readout)
    fused = op(inputs, **masks)
    for b in range(3):
        streams, _ = oracle(op, tokens_of(inputs, kept, b))
        read = streams[0] if len(streams[0]) else np.concatenate(streams[1:])
        assert_close(fused[b], getattr(read, readout)(axis=0))


@pytest.mark.parametrize("queries", ["first", "all"])
def test_it_begins_as_the_streams_themselves(queries):
    inputs = inputs_for(GatedCrossAttention())
    streams = GatedCrossAttention(queries=queries, readout=None)(inputs)
    for z, x in zip(streams, inputs, strict=True):
        np.testing.assert_array_equal(to_numpy(z), x)
    fused = GatedCrossAttention(queries=queries)(inputs)
    read = inputs[:1] if queries == "first" else inputs
    assert_close(fused, np.concatenate(read, axis=1).mean(axis=1))


def test_open_gates_make_it_a_cross_attention():
    inputs = [draw(3, 2, 4), draw(3, 3, 4, seed=2)]
    op = built(GatedCrossAttention, inputs, queries="all")
    other = built(CrossAttention, inputs)
    for own, layer in zip(op.heads, other.heads, strict=True):
        own.set_weights(layer.get_weights())
    for own, layer in zip(op.halves, other.halves, strict=True):
        for part in ("output_dense", "norm"):
            getattr(own, part).set_weights(getattr(layer, part).get_weights())
        for mine, theirs in zip(own.mlp, layer.mlp, strict=True):
            mine.set_weights(theirs.get_weights())
        for gate in own.gates.values():
            gate.assign(30.0)
    assert_close(op(inputs), other(inputs))
