import numpy as np
import pytest
from keras import ops

from keras_fusion.ops.attention import affinity_logits, mix, project_heads
from tests.conftest import assert_close
from tests.layers.cases import draw, modalities


def form(lists, unrolled):
    """A list of tensors `(B, N, h)`, or one tensor `(B, N, M, h)`."""
    tensors = [ops.convert_to_tensor(x) for x in lists]
    return tensors if unrolled else ops.stack(tensors, axis=2)


each_form = pytest.mark.parametrize("unrolled", [True, False])


@each_form
def test_affinity_logits(unrolled):
    queries, keys = modalities(2, (3, 2, 5)), modalities(3, (3, 2, 5), seed=2)
    expected = np.einsum("ibnh,jbnh->bnij", queries, keys) / np.sqrt(5)
    assert_close(
        affinity_logits(form(queries, unrolled), form(keys, unrolled)), expected
    )


@each_form
def test_affinity_logits_do_not_overflow(unrolled):
    rows = [np.full((1, 1, 4), 300, "float16")] * 2
    logits = affinity_logits(form(rows, unrolled), form(rows, unrolled))
    assert_close(logits, np.full((1, 1, 2, 2), 300 * 300 * 4 / 2))


@each_form
def test_mix(unrolled):
    weights, values = draw(3, 2, 4, 3), modalities(3, (3, 2, 5))
    mixed = mix(ops.convert_to_tensor(weights), form(values, unrolled))
    expected = np.einsum("bnij,jbnh->ibnh", weights, values)
    mixed = ops.stack(mixed) if unrolled else ops.transpose(mixed, (2, 0, 1, 3))
    assert_close(mixed, expected)


@pytest.mark.parametrize("count", [2, 6])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
def test_project_heads(count, shared):
    inputs, kernels = modalities(count, (3, 4)), draw(2, count, 4, 2 * 5)
    kernels = kernels[:, :1].repeat(count, axis=1) if shared else kernels
    own = kernels[:, : 1 if shared else count]
    given = [[ops.convert_to_tensor(k) for k in part] for part in own]
    parts = project_heads([ops.convert_to_tensor(x) for x in inputs], given, 2)
    expected = np.einsum("mbd,pmdk->pmbk", inputs, kernels).reshape(2, count, 3, 2, 5)
    for p, part in enumerate(parts):
        found = ops.stack(part) if isinstance(part, list) else None
        found = ops.transpose(part, (2, 0, 1, 3)) if found is None else found
        assert_close(found, expected[p])
