"""Cross-diffusion in half precision, and where others would have it so."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.ops import cross_diffusion
from keras_fusion.ops.diffusion import blocks
from keras_fusion.ops.diffusion.dense_products import dense_products
from tests.conftest import assert_close, to_numpy, tried_here
from tests.layers.cases import draw
from tests.ops.diffusion import diffusion_oracle as oracle
from tests.ops.diffusion.diffusion_results import (
    arrays,
    compare,
    each_implementation,
    flat,
    in_float64,
    run,
)

pytestmark = pytest.mark.usefixtures("small_blocks")


@each_implementation
@pytest.mark.parametrize("dtype", tried_here(["float16", "bfloat16"]))
@pytest.mark.parametrize("form", ["paper", "released"])
def test_half_precision_of_strongly_peaked_affinities(
    implementation, dtype, form, monkeypatch
):
    monkeypatch.setattr(blocks, "block_bytes", lambda: 4 * 2 * 150 * 300)
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
        if inside and implementation != "dense":  # gradients of our own
            moved = torch.autograd.grad(found, leaves)
    if not inside or implementation == "dense":
        moved = torch.autograd.grad(found, leaves)
    assert found.dtype == torch.float32
    for y, y_0 in zip([found, *moved], [expected, *gradients]):
        assert torch.equal(y, y_0)


each_form = pytest.mark.parametrize(
    "form, steps", [("paper", 1), ("paper", 8), ("released", 8)]
)


@each_form
def test_a_gpu_multiplies_bfloat16_by_bfloat16(form, steps, monkeypatch):
    given = []
    module = importlib.import_module("keras_fusion.ops.diffusion.cross_diffusion")
    products = module.dense_products

    def record(affinities, dtype):
        given.extend([str(affinities.dtype), dtype])
        return products(affinities, dtype)

    monkeypatch.setattr(module, "dense_products", record)
    on_a_gpu("dense", form, steps, monkeypatch)
    assert "float32" in given[0] and given[1:] == ["bfloat16"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_dtype_of_dense_products(dtype):
    x = ops.full((1, 1, 1, 2, 1), 1 + 2**-12)
    expected = 2 * 2 * (1 + 2**-12 if dtype == "float32" else 1)
    for y in dense_products(2 * ops.ones((1, 1, 1, 2, 2)), dtype)(x, x):
        assert "float32" in str(y.dtype)
        assert_close(y, np.full(y.shape, expected), "float32")


def on_a_gpu(implementation, form, steps, monkeypatch):
    """Whatever `monkeypatch` has done is undone for what this is compared with."""
    rounded = [ops.cast(x, "bfloat16") for x in arrays(2, sharp=1.0)]
    arguments = {"form": form, "steps": steps}
    monkeypatch.setattr(blocks, "on_gpu", lambda: True)
    found = run(rounded, implementation=implementation, **arguments)
    monkeypatch.undo()
    expected = run(rounded, implementation="dense", **arguments)
    for x, y in zip(flat(*found), flat(*expected)):
        assert "bfloat16" in str(x.dtype)
        x, y = to_numpy(x), to_numpy(y)  # each step rounds to 2^-9 once more
        assert np.abs(x - y).max() < steps * 2**-7 * np.abs(y).max()


@pytest.mark.only_on("jax", "torch", reason="TensorFlow has no fused attention")
@each_form
def test_a_gpu_gives_bfloat16_to_fused_attention(form, steps, monkeypatch):
    given = []
    module = importlib.import_module("keras_fusion.ops.diffusion.fused_attention")
    name = f"_{keras.backend.backend()}_kernel"
    kernel = getattr(module, name)

    def record(*inputs):
        given.extend(str(x.dtype) for x in inputs[:3])
        assert inputs[-1] == 8  # the width, of heads of four: kernels want whole eights
        return kernel(*inputs)

    monkeypatch.setattr(module, name, record)
    on_a_gpu("fused", form, steps, monkeypatch)
    # the paper's P^T v comes with P v
    assert len(given) == 3 * 2 * steps
    assert all("bfloat16" in dtype for dtype in given)


@pytest.mark.only_on("torch", reason="torch's own")
@each_implementation
def test_inference_mode(implementation):
    import torch

    inputs = arrays(2, (2, 2, 11, 8))  # so wide that nothing is padded
    expected = run(inputs)
    with torch.inference_mode():
        found = run(inputs, implementation=implementation)
    for x, y in zip(flat(*found), flat(*expected)):
        assert_close(x, y)
