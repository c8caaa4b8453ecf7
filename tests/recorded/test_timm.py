"""Attention to channels and the non-local block, against the layers of timm."""

from keras_fusion.layers import (
    EfficientChannelAttention,
    NonLocalBlock,
    SqueezeExcitation,
)
from tests.recorded.recording import assert_recorded, read

MAPS = read("timm", "maps")[""].astype("float32")  # (B, H, W, C)


def kernel(weights, name):
    """Of a convolution of one position, as that of a `Dense`."""
    return weights[f"{name}.weight"][:, :, 0, 0].T


def test_squeeze_excitation():
    weights = read("timm", "excitation/")
    layer = SqueezeExcitation(ratio=2)
    layer.build(MAPS.shape)
    for dense, name in ((layer.squeeze, "fc1"), (layer.excite, "fc2")):
        dense.kernel.assign(kernel(weights, name))
        dense.bias.assign(weights[f"{name}.bias"])
    assert_recorded(layer(MAPS), weights["output"])


def test_efficient_channel_attention():
    weights = read("timm", "efficient/")
    layer = EfficientChannelAttention(kernel_size=3)
    layer.build(MAPS.shape)
    layer.convolution.kernel.assign(weights["conv.weight"].transpose(2, 1, 0))
    assert_recorded(layer(MAPS), weights["output"])
    for width, size in zip(*(read("timm", n)[""] for n in ("widths", "kernel_sizes"))):
        layer = EfficientChannelAttention()
        layer.build((None, 4, 4, int(width)))
        assert layer.convolution.kernel.shape[0] == size


def test_non_local_block():
    """Without the biases and the batch normalization that timm adds to the paper's."""
    weights = read("timm", "non_local/")
    layer = NonLocalBlock(units=4)
    layer.build(MAPS.shape)
    for variable, name in (
        (layer.query_kernel, "t"),
        (layer.key_kernel, "p"),
        (layer.value_kernel, "g"),
        (layer.output_kernel, "z"),
    ):
        variable.assign(kernel(weights, name))
    assert_recorded(layer(MAPS), weights["output"])
