"""Cross-diffusion in half precision, and where others would have it so."""

import importlib

import numpy as np
import pytest
from keras import ops

from keras_fusion.ops import blocks, cross_diffusion
from tests.conftest import to_numpy
from tests.layers.cases import draw
from tests.ops import diffusion_oracle as oracle
from tests.ops.diffusion_results import (
    arrays,
    compare,
    each_implementation,
    flat,
    in_float64,
    run,
)

pytestmark = pytest.mark.usefixtures("small_blocks")


@each_implementation
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("form", ["paper", "released"])
def test_half_precision_of_strongly_peaked_affinities(
    implementation, dtype, form, monkeypatch
):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * 2 * 150 * 300)
    # all queries look at one key, so that columns of P sum up to T and more
    q = np.full((2, 1, 1, 300, 4), 30, "float32")
    k, v = draw(2, 1, 1, 300, 4), 100 + draw(2, 1, 1, 300, 4, seed=2)
    rounded = [ops.cast(x, dtype) for x in (q, k, v)]
    found = run(rounded, implementation=implementation, form=form)
    exact = [ops.convert_to_numpy(ops.cast(x, "float32")) for x in rounded]
    expected = oracle.cross_diffusion(*in_float64(exact), form=form)
    for y in flat(*found):
        assert dtype in str(y.dtype)
    compare(found, expected, dtype)


@pytest.mark.only_on("torch", reason="torch's own mixed precision")
@each_implementation
@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("inside", [True, False])
def test_autocast_changes_nothing(implementation, form, inside):
    import torch

    arguments = {"implementation": implementation, "form": form, "steps": 2}

    def loss_of(leaves):
        found = flat(*cross_diffusion(*(x.unbind() for x in leaves), **arguments))
        return sum(y.square().sum() for y in found)

    leaves = [torch.from_numpy(x).requires_grad_() for x in arrays(2)]
    expected = loss_of(leaves)
    gradients = torch.autograd.grad(expected, leaves)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss_of(leaves)
        if inside and implementation == "blockwise":  # its gradients are our own
            moved = torch.autograd.grad(found, leaves)
    if not inside or implementation == "dense":
        moved = torch.autograd.grad(found, leaves)
    assert found.dtype == torch.float32
    for y, y_0 in zip([found, *moved], [expected, *gradients]):
        assert torch.equal(y, y_0)


@pytest.mark.parametrize("form, steps", [("paper", 1), ("paper", 8), ("released", 8)])
def test_a_gpu_multiplies_bfloat16_by_bfloat16(form, steps, monkeypatch):
    factors = []
    matmul = ops.matmul
    module = importlib.import_module("keras_fusion.ops.dense_products")

    def record(a, b):
        factors.append((str(a.dtype), str(b.dtype)))
        return matmul(a, b)

    rounded = [ops.cast(x, "bfloat16") for x in arrays(2, sharp=1.0)]
    arguments = {"form": form, "steps": steps}
    expected = run(rounded, implementation="dense", **arguments)
    monkeypatch.setattr(blocks, "on_gpu", lambda: True)
    monkeypatch.setattr(module.ops, "matmul", record)
    found = run(rounded, **arguments)  # that few tokens are dense there
    monkeypatch.undo()
    # logits; for each step P v and the messages, in the form of the paper P^T v too
    assert len(factors) == 1 + (3 if form == "paper" else 2) * steps
    assert all("float32" in a for a in factors[0])
    assert all("bfloat16" in x for pair in factors[1:] for x in pair)
    for x, y in zip(flat(*found), flat(*expected)):
        assert "bfloat16" in str(x.dtype)
        x, y = to_numpy(x), to_numpy(y)  # each step rounds to 2^-9 once more
        assert np.abs(x - y).max() < steps * 2**-7 * np.abs(y).max()
