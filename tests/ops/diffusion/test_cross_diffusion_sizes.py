"""When cross-diffusion is dense and when it goes block by block."""

import importlib

import keras
import pytest
from keras import ops

from keras_fusion.ops.diffusion import blocks, blockwise, fused_attention
from keras_fusion.ops.diffusion.blocks import rows_at_once
from keras_fusion.ops.diffusion.cross_diffusion import fastest
from keras_fusion.ops.diffusion.cross_diffusion import is_large as larger_than
from tests.ops.diffusion.diffusion_results import arrays, run


def is_large(*sizes):
    return larger_than(blocks.dense_bytes(), *sizes)


def test_a_gpu_takes_blocks_of_what_its_memory_does_not_hold(monkeypatch):
    monkeypatch.setattr(blocks, "on_gpu", lambda: False)
    assert is_large(2, 1, 4, 1025) and is_large(2, None, 4, None)
    monkeypatch.setattr(blocks, "on_gpu", lambda: True)
    assert not is_large(2, 1, 4, 3136) and not is_large(2, 16, 4, 784)
    assert not is_large(2, None, 4, 3136)
    assert is_large(2, 16, 4, 3136)  # 5 GB
    assert rows_at_once(2, 3136) == 3136  # all of one sample's head at once


def test_a_cpu_takes_blocks_where_they_are_faster(monkeypatch):
    monkeypatch.setattr(blocks, "on_gpu", lambda: False)
    most = 1024 if keras.backend.backend() == "tensorflow" else 362
    assert not is_large(2, 1, 4, most) and is_large(2, 1, 4, most + 1)


def test_auto_takes_blocks_of_what_is_more_than_one(monkeypatch):
    asked = []
    products = blockwise.blockwise_products
    monkeypatch.setattr(
        importlib.import_module("keras_fusion.ops.diffusion.cross_diffusion"),
        "blockwise_products",
        lambda *arguments: asked.append(True) or products(*arguments),
    )
    monkeypatch.setattr(blocks, "dense_bytes", lambda fused: 4 * 2 * 2 * 11**2)
    run(arrays(2, (1, 2, 11, 4)))
    assert not asked
    run(arrays(2, (1, 2, 12, 4)))
    assert asked


@pytest.mark.only_on("jax", "torch", reason="TensorFlow has no fused attention")
def test_a_gpu_fuses_much_of_bfloat16(monkeypatch):
    monkeypatch.setattr(blocks, "on_gpu", lambda: True)
    fewest = fused_attention.CUDNN_TOKENS
    monkeypatch.setattr(fused_attention, "_has_cudnn", lambda tokens: tokens >= fewest)
    jax = keras.backend.backend() == "jax"  # which starts all kernels at once
    assert chosen((1, 4, 3136, 32)) == ("fused" if jax else "dense")
    assert chosen((2, 4, 3136, 32)) == "fused"
    assert chosen((1, 4, 1024, 32)) == "dense"
    assert chosen((32, 4, 1024, 32)) == "fused"
    assert chosen((2048, 4, 196, 32)) == ("blockwise" if jax else "fused")
    assert chosen((2, 4, 3136, 32), dtype="float16") == "dense"
    assert chosen((1, 4, 16384, 32), dtype="float32") == "blockwise"
    assert chosen((1, 4, 16384, 136)) == "blockwise"  # wider than kernels take
    assert chosen((1, 4, 16384, 128)) == "fused"
    assert chosen((1, 4, 16384, 128), masked=True) == "blockwise"  # by one more
    assert chosen((1, 4, 3136, 32), initial=ops.ones((1, 4, 2, 2))) == "dense"


def test_nothing_to_compute_is_dense():
    assert chosen((0, 4, 16384, 32), dtype="float32") == "dense"
    if keras.backend.backend() == "torch":  # which finds out shapes by running the code
        import torch

        shapes = [torch.empty(1, 4, 16384, 32, device="meta")] * 2
        assert fastest(shapes, shapes, shapes) == "dense"


def chosen(shape, dtype="bfloat16", **others):
    """What `auto` takes of two modalities, whose numbers it does not look at."""
    tensors = [keras.KerasTensor(shape, dtype)] * 2
    return fastest(tensors, tensors, tensors, **others)
