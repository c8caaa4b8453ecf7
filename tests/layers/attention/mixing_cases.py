"""Every layer of one tensor in every configuration, and what it is called with.

A new one needs an entry in `MIXING`; the laws of `test_mixing.py` then hold for it.
"""

import dataclasses

import numpy as np
import pytest

from keras_fusion import layers
from tests.conftest import tried_here
from tests.layers.cases import WIDTH, draw, every, randomize

SHAPES = {  # by the number of axes of positions; 0 is the nodes of a graph
    0: (6, WIDTH),
    1: (3, 5, WIDTH),
    2: (3, 3, 4, WIDTH),
    3: (3, 2, 3, 2, WIDTH),
}
EDGES = np.array([[0, 1, 2, 0, 4, 3, 3], [1, 0, 1, 2, 3, 4, 3]], "int32")  # 5 has none
AFFINITIES = ["embedded_gaussian", "gaussian", "dot_product", "concatenation"]

MIXING = {  # by name: axes of positions and constructor arguments
    "AttentionAugmentedConv2D": [
        (2, {"units": 6, "key_units": 4, "value_units": 4, "num_heads": 2}),
        (2, {"units": 3, "kernel_size": [1, 2], "value_units": 1, "use_bias": False}),
    ],
    "ChannelScale": [(axes, {}) for axes in (1, 2, 3)],
    "EfficientChannelAttention": [(1, {}), (2, {"kernel_size": 3}), (3, {})],
    "GraphAttention": [
        *((0, c) for c in every(units=[6], num_heads=[1, 2], affinity=["gat"])),
        *((0, c) for c in every(units=[3], num_heads=[2], merge=["mean"])),
        (0, {"units": 6, "num_heads": 2, "affinity": "gatv2", "use_bias": False}),
    ],
    "GraphConvolution": [(0, {"units": 3}), (0, {"units": 5, "use_bias": False})],
    "LocalSelfAttention": [
        (1, {"units": 6, "kernel_size": 3, "num_heads": 2}),
        (1, {"units": 3, "kernel_size": 4}),
        (2, {"units": 8, "kernel_size": [3, 2], "num_heads": 2}),
    ],
    "NonLocalBlock": [
        *((2, c) for c in every(affinity=AFFINITIES)),
        *((axes, {"units": 3}) for axes in (1, 3)),
    ],
    "OffsetAttention": [
        (1, {"units": 6, "kernel_size": 2, "num_heads": 2}),
        (2, {"units": 3, "kernel_size": [3, 4], "use_bias": False}),
        (3, {"units": 3, "kernel_size": 2, "affinity": "constant"}),
    ],
    "PositionAttention": [
        (1, {"units": 6, "num_heads": 2}),
        (2, {"units": 3, "affinity": "constant"}),
        (3, {"units": 3, "use_bias": False}),
    ],
    "SimpleGraphConvolution": [(0, {"units": 3, "hops": 2, "use_bias": True})],
    "SqueezeExcitation": [
        (1, {"ratio": 2, "activation": "tanh"}),
        (2, {"activation": "gelu", "use_bias": False}),
        (3, {"activation": "gelu"}),
    ],
}


@dataclasses.dataclass(frozen=True)
class Mixing:
    """A layer by name with constructor arguments, for so many axes of positions."""

    name: str
    axes: int
    config: dict

    def __str__(self):
        settings = [f"{k}={v}" for k, v in self.config.items()]
        return ",".join([self.name, f"{self.axes}D", *settings])

    @property
    def is_graph(self):
        return self.axes == 0

    def inputs(self, seed=1):
        return draw(*SHAPES[self.axes], seed=seed)

    def new(self, **kwargs):
        """A layer that is not built."""
        return getattr(layers, self.name)(**self.config | kwargs)

    def layer(self, **kwargs):
        """A layer with random weights, and how to call it on inputs alone."""
        layer = self.new(**kwargs)
        self.call(layer, self.inputs())
        return randomize(layer)

    def call(self, layer, inputs, **kwargs):
        if self.is_graph:
            return layer(inputs, EDGES, **kwargs)
        return layer(inputs, **kwargs)


MIXING_CASES = [
    Mixing(name, axes, config)
    for name, variants in MIXING.items()
    for axes, config in tried_here(variants)
]
each_mixing = pytest.mark.parametrize("case", MIXING_CASES, ids=str)
