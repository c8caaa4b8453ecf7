"""What a MutualFormer model relates a point to."""

import keras
import numpy as np
from keras import ops

from keras_fusion.common.names import MASK
from keras_fusion.layers import MutualFormerBlock
from keras_fusion.ops.diffusion.cross_diffusion import unstack_results
from keras_fusion.ops.diffusion.dense_products import affinities as own_affinities
from keras_fusion.ops.diffusion.dense_products import dense_products
from keras_fusion.ops.diffusion.diffusion import diffuse
from keras_fusion.ops.tokens import split_heads
from keras_fusion.zoo.parts.inputs import check_inputs


def affinities(model: keras.Model, inputs: dict, layer: str = "fusion") -> dict:
    """The affinities of one block, with everything present, averaged over its heads.

    Args:
        model: A zoo model, M of whose modalities a `MutualFormerBlock` fuses.
        inputs: The model's inputs by name, arrays of B samples.
        layer: Name of the block; in a segmenter `"fusion"` is the coarsest scale,
            `"fusion_up_1"` the next finer one.

    Returns:
        By modality `P_m` `(B, T, T)`, and by pairs `(to, from)` the cross-diffused
        `X` `(B, T, T)` that carries messages; row t is what token t relates to.

    Raises:
        ValueError: If there is no such block, or an input is missing or unknown.
    """
    check_inputs(model, inputs)
    found = [x for x in model.layers if x.name == layer]
    if not found or not isinstance(found[0], MutualFormerBlock):
        raise ValueError(
            f"{model.name} has no MutualFormerBlock called {layer!r}; affinities are "
            "shown of that operator only."
        )
    block, names = found[0], [name for name in model.input if name != MASK]
    taken = dict(zip(names, keras.tree.flatten(block.input)))
    tokens = keras.Model(model.input, taken).predict(inputs, verbose=0)
    heads = (_heads(block, m, tokens[name]) for m, name in enumerate(names))
    queries, keys = zip(*heads)
    own = own_affinities(ops.stack(queries), ops.stack(keys))  # (M, B, N, T, T)
    # what carries values carries the identity matrix to the affinity itself
    identity = ops.broadcast_to(ops.eye(own.shape[-1]), own.shape)
    settings = block.epsilon, block.steps, block.initial, "paper"
    carried = diffuse(dense_products(own), identity, *settings)
    own, messages = unstack_results(*carried, "float32")
    result = {name: _mean(x) for name, x in zip(names, own)}
    for name, row in zip(names, messages):
        pairs = zip(names, row)
        result |= {(name, other): _mean(x) for other, x in pairs if x is not None}
    return result


def _heads(block, m, x):
    """Queries and keys `(B, N, T, h)` of modality m."""
    if block.projections:
        x = block.projections[m](x)
    parts = ops.split(block.diffusion.heads[m](block.norms[m](x)), 3, axis=-1)
    return [split_heads(part, block.num_heads) for part in parts[:2]]


def _mean(x):
    return np.mean(ops.convert_to_numpy(x), axis=1)
