"""The vectors that a modality is looked up as, and a model in which they are scaled."""

import contextlib
from typing import NamedTuple

import keras
from keras import layers

from keras_fusion.common.names import safe_names
from keras_fusion.layers import ColumnEmbedding


class Tokens(NamedTuple):
    """The layer that looks a modality up as vectors `(B, T, D)`."""

    layer: keras.layers.Layer

    def count(self, x) -> int:
        """T, of an input `(B, ...)`."""
        if isinstance(self.layer, ColumnEmbedding):
            return len(self.layer.columns)
        return x.shape[1]


def first_tokens(model: keras.Model, modality: str) -> Tokens | None:
    """The first layer of a modality's encoder, where that looks words or columns up.

    Args:
        model: A zoo model, or one that holds such a model as a layer.
        modality: Its name.
    """
    safe = safe_names([name for name in model.input])[modality]
    for layer in _all_layers(model):
        if layer.name != f"{safe}_encoder" or not getattr(layer, "layers", None):
            continue
        inner = [x for x in layer.layers if not isinstance(x, layers.InputLayer)]
        if inner and isinstance(inner[0], (layers.Embedding, ColumnEmbedding)):
            return Tokens(inner[0])
    return None


def _all_layers(model):
    for layer in model.layers:
        yield layer
        yield from _all_layers(layer) if hasattr(layer, "layers") else ()


@contextlib.contextmanager
def scaled(layer: keras.layers.Layer, scales):
    """Within it, each vector `(B, T, D)` of the layer counts as much as `scales` says.

    The layer's own method stands aside, since only there the vectors can be reached in
    a model that is built.

    Args:
        layer: Gives `(B, T, D)`.
        scales: `(B, T)`.
    """
    own = layer.call

    def call(*inputs, **options):
        found = own(*inputs, **options)
        return found * keras.ops.cast(scales, found.dtype)[..., None]

    layer.call = call
    try:
        yield
    finally:
        del layer.call
