"""Against recorded runs of the released code, array by array."""

import numpy as np
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.layers import CrossDiffusionAttention, ReleasedMutualFormerBlock
from keras_fusion.ops.diffusion.cross_diffusion import cross_diffusion
from keras_fusion.ops.diffusion.dense_products import affinities
from keras_fusion.ops.presence import Presence
from keras_fusion.ops.tokens import attend, join_heads, split_heads
from tests import golden
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, modalities
from tests.layers.reference import dense, float64
from tests.layers.token_sets import built


class Recorded:
    """The block with recorded weights, and what it was fed with."""

    def __init__(self, size):
        self.arrays = golden.arrays(f"golden_{size}")
        self.inputs = np.split(self.arrays["in/x"], 2, axis=-1)
        self.fused = self.arrays["in/xrd"]
        self.op = ReleasedMutualFormerBlock(
            num_heads=int(self.arrays["meta/num_heads"]),
            epsilon=float(self.arrays["meta/alpha"]),
            layer_norm_epsilon=float(self.arrays["meta/ln_eps"]),
            fused_stream="query",
        )
        self.op.build([x.shape for x in self.inputs], self.fused.shape)
        self.places = places(self.op)
        for variable, name, arrange in self.places:
            recorded = self.arrays.get(f"param/{name}")
            zeros = np.zeros(variable.shape)  # where a bias is missing
            variable.assign(zeros if recorded is None else arrange(recorded))


def assert_near(x, recorded, name, scale=1.0):
    np.testing.assert_allclose(
        to_numpy(x), recorded, rtol=0, atol=2e-5 * scale, err_msg=name
    )


def places(op):
    """Every weight of the block, its recorded name, and how that is laid out here."""
    diffusion, width = op.diffusion, op.aggregation.units
    found = []

    def place(layer, name, bias=True, arrange=np.transpose):
        found.append((layer.kernel, f"{name}.weight", arrange))
        if bias:
            found.append((layer.bias, f"{name}.bias", np.asarray))

    def place_norm(layer, name):
        found.append((layer.gamma, f"{name}.weight", np.asarray))
        found.append((layer.beta, f"{name}.bias", np.asarray))

    place_norm(op.joint_norm, "norm1")
    place_norm(op.heads.norm, "norm1_rd")
    place_norm(op.halves.norm, "norm2")
    for m, which in enumerate("rd"):
        place(diffusion.heads[m], f"attn.qkv_{which}")
        name = f"attn.proj_{which}"
        place(diffusion.own[m], name, arrange=lambda w: w[:, :width].T)
        place(diffusion.others[m], name, False, lambda w: w[:, width:].T)
    place(op.heads.projection, "attn.qkv")
    place(op.halves.output_dense, "attn.proj")
    place(op.aggregation, "attn.proj_rd")
    for layer, name in zip(op.halves.mlp, ("mlp.fc1", "mlp.fc2"), strict=True):
        place(layer, name)
    return found


@pytest.fixture(scope="module", params=["tiny", "small"])
def recorded(request):
    return Recorded(request.param)


def diffused(op, normed, form="released"):
    """Queries, keys and values, and what cross-diffusion makes of them."""
    heads = [
        [split_heads(x, op.num_heads) for x in ops.split(d(z), 3, axis=-1)]
        for d, z in zip(op.diffusion.heads, normed, strict=True)
    ]
    parts = (list(part) for part in zip(*heads, strict=True))
    return heads, cross_diffusion(*parts, form=form)


def mixing(heads):
    """The matrices that messages are made with: what they make of unit vectors."""
    queries, keys, _ = (list(part) for part in zip(*heads, strict=True))
    tokens, width = queries[0].shape[2:]
    units = np.eye(tokens, -(-tokens // width) * width, dtype="float32")
    found = []
    for some in np.split(units, units.shape[1] // width, axis=1):
        values = [ops.convert_to_tensor(np.broadcast_to(some, queries[0].shape))] * 2
        found.append(cross_diffusion(queries, keys, values, form="released")[1])
    return {
        "rd": np.concatenate([to_numpy(m[0][1]) for m in found], axis=-1)[..., :tokens],
        "dr": np.concatenate([to_numpy(m[1][0]) for m in found], axis=-1)[..., :tokens],
    }


def everything(op, inputs, fused):
    """All that the block computes on its way, by the recorded names."""
    fused = ops.convert_to_tensor(fused)
    normed = op.joint_norm(np.concatenate(inputs, axis=-1))
    found = {"norm1_x": normed, "norm1_rd_xrd": op.heads.norm(fused)}
    normed = ops.split(normed, 2, axis=-1)
    heads, (attended, messages) = diffused(op, normed)
    streams, _ = op.diffusion.fuse(normed, Presence())
    for m, which in enumerate("rd"):
        queries, keys, values = heads[m]
        p = affinities(queries[None], keys[None])[0]
        found |= {f"sa/{k}_{which}": x for k, x in zip("QKV", heads[m])}
        found |= {f"sa/P_{which}": p, f"cda/S_{which}": ops.swapaxes(p, -1, -2)}
        found[f"sa/M_{which}"] = join_heads(attended[m])
        found[f"agg/H_{which}"] = streams[m]
    for which, (m, j) in {"rd": (0, 1), "dr": (1, 0)}.items():
        found[f"cda/A_{which}"] = mixing(heads)[which]
        found[f"cda/M_{which}"] = join_heads(messages[m][j])
    received, weigh = attend(*op.heads(fused))
    found |= {"fused/P_f": weigh(), "fused/M_f": join_heads(received)}
    added = op.halves.output_dense(found["fused/M_f"])
    added = added + op.aggregation(ops.concatenate(streams, axis=-1))
    found |= {"attn_out": added, "x_mid": added + fused}
    found["block_tokens"] = op(inputs, query=fused)
    return found


def test_every_recorded_array(recorded):
    found = everything(recorded.op, recorded.inputs, recorded.fused)
    tokens = to_numpy(found["block_tokens"])
    grid = recorded.arrays["meta/grid_hw"]
    batch, _, width = tokens.shape
    found["block_map"] = tokens.transpose(0, 2, 1).reshape(batch, width, *grid)
    expected = {k[4:]: x for k, x in recorded.arrays.items() if k.startswith("out/")}
    assert found.keys() == expected.keys()
    for name, x in found.items():
        assert_near(x, expected[name], name)


def test_every_recorded_gradient(recorded):
    op = recorded.op
    cotangent = ops.convert_to_tensor(recorded.arrays["in/cotangent"])

    def function(arrays):
        both, fused = arrays
        tokens = op(ops.split(both, 2, axis=-1), query=fused)
        return ops.sum(cotangent * tokens), tokens

    variables = [variable for variable, _, _ in recorded.places]
    assert {id(v) for v in variables} == {id(v) for v in op.trainable_variables}
    run = with_gradients(function, variables)
    _, (x, fused, *found) = run([recorded.arrays["in/x"], recorded.fused])
    assert_close(x, recorded.arrays["grad/x"])
    assert_close(fused, recorded.arrays["grad/xrd"])
    for gradient, (_, name, arrange) in zip(found, recorded.places, strict=True):
        if f"grad/param/{name}" in recorded.arrays:  # a bias may be missing there
            expected = arrange(recorded.arrays[f"grad/param/{name}"])
            # sums over all tokens round by what they sum: up to 2e-6 of the largest
            scale = max(1, 0.2 * np.abs(expected).max())
            assert_near(gradient, expected, name, scale)


def test_the_paper_form_on_the_same_inputs(recorded):
    """Cross-diffusion as in the paper, its weights and inputs those of the record."""
    op, size = recorded.op, "tiny" if recorded.fused.shape[1] == 6 else "small"
    expected = golden.arrays(f"derived_{size}")
    normed = np.split(recorded.arrays["out/norm1_x"], 2, axis=-1)
    _, (_, messages) = diffused(op, [*map(ops.convert_to_tensor, normed)], "paper")
    assert_close(join_heads(messages[0][1]), expected["paper/M_rd"])
    assert_close(join_heads(messages[1][0]), expected["paper/M_dr"])
    paper = CrossDiffusionAttention(num_heads=op.num_heads, readout=None)
    paper.build([x.shape for x in normed])
    paper.set_weights(op.diffusion.get_weights())
    for which, stream in zip("rd", paper(normed), strict=True):
        assert_close(stream, expected[f"paper/H_{which}"])


def test_the_learned_fused_stream_is_a_linear_map_of_both():
    inputs = modalities(2)
    learned = built(ReleasedMutualFormerBlock, inputs)
    given = built(ReleasedMutualFormerBlock, inputs, fused_stream="query")
    for name in ("joint_norm", "diffusion", "heads", "halves", "aggregation"):
        getattr(given, name).set_weights(getattr(learned, name).get_weights())
    fused = dense(learned.stream, float64(np.concatenate(inputs, axis=-1)))
    assert_close(learned(inputs), given(inputs, query=fused.astype("float32")))


def test_streams_have_a_residual_of_ours():
    inputs = modalities(2)
    op = built(ReleasedMutualFormerBlock, inputs, readout=None)
    whole = built(ReleasedMutualFormerBlock, inputs)
    for name in ("joint_norm", "diffusion"):
        getattr(whole, name).set_weights(getattr(op, name).get_weights())
    normed = ops.split(op.joint_norm(np.concatenate(inputs, axis=-1)), 2, axis=-1)
    streams, _ = whole.diffusion.fuse(normed, Presence())
    for z, x, h in zip(op(inputs), inputs, streams, strict=True):
        assert_close(z, x + to_numpy(h))


def test_what_a_query_holds_where_nothing_is_present():
    inputs = modalities(2)
    op = built(ReleasedMutualFormerBlock, inputs, fused_stream="query")
    query, there = draw(3, 2, 4), np.array([[1, 1], [1, 0], [0, 0]], bool)
    expected = op(inputs, query=query, modality_mask=there)
    query[2] = np.nan
    np.testing.assert_array_equal(
        to_numpy(op(inputs, query=query, modality_mask=there)), to_numpy(expected)
    )
