"""Fusion blocks in depth: every block but the last hands back to the modalities."""

import keras
from keras import layers

from keras_fusion.layers import Concatenation, Fusion
from keras_fusion.layers import get as get_operator
from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.with_mask import WithMask


def template(fusion, units: int) -> Fusion:
    """The operator that `fusion` names, describes or is; see `FusionClassifier`."""
    if isinstance(fusion, Fusion):
        return fusion
    if isinstance(fusion, str):
        fusion = {"class_name": fusion}
    if not isinstance(fusion, dict) or not {"class_name"} <= set(fusion) <= {
        "class_name",
        "config",
    }:
        raise ValueError(
            "fusion must be an operator's name, an operator, or "
            f'{{"class_name": ..., "config": {{...}}}}; received {fusion!r}.'
        )
    operator = _operator(fusion["class_name"])
    config = {"units": units} | fusion.get("config", {})
    try:
        return operator(**config)
    except TypeError as error:
        raise ValueError(f"{fusion['class_name']} cannot be built: {error}") from error


def _operator(name):
    """The operator of this name, or one's own by `package>Name`, where registered."""
    if ">" not in name:
        return get_operator(name)
    operator = keras.saving.get_registered_object(name)
    if operator is None or not issubclass(operator, Fusion):
        raise ValueError(
            f"No operator {name!r} is registered: import what defines it, a `Fusion` "
            "under keras.saving.register_keras_serializable."
        )
    return operator


def fuse(
    operator: Fusion,
    streams,
    depth: int,
    *,
    modality_mask=None,
    query=None,
    keep_positions: bool = False,
    name: str = "fusion",
):
    """`depth` blocks of fusion; the last is the layer called `name`.

    An operator that refines hands its streams to the next block; after any other
    `x_m <- LN(x_m + Dense(fused))`.

    Args:
        operator: Template; every block is a fresh copy.
        streams: list of M tensors.
        depth: Number of blocks, at least 1.
        modality_mask: Tensor `(B, M)` or None.
        query: Query tensor or None.
        keep_positions: Give every token or pixel its own result: where the operator
            would pool them, its streams are joined by a concatenation instead.
        name: Of the last block; those before it are `name_0`, `name_1`, ...
    """
    depth = require_positive(operator, "depth", depth)
    if operator.uses_query != (query is not None):
        wants = "needs" if operator.uses_query else "takes no"
        raise ValueError(f"{type(operator).__name__} {wants} `query` as configured.")

    def call(block, **options):
        if modality_mask is not None:
            options["modality_mask"] = modality_mask
        if block.uses_query:
            options["query"] = query
        return block(streams, **options)

    for i in range(depth - 1):
        if operator.refines:
            streams = call(_copy(operator, f"{name}_{i}", readout=None))
        else:
            fused = call(_copy(operator, f"{name}_{i}"))
            streams = _hand_back(f"{name}_{i}", fused, streams)
    last = _copy(operator, name)
    if last.returns_streams:
        raise ValueError(
            f"{type(operator).__name__} needs a readout here: without one it returns "
            "all the modalities."
        )
    if keep_positions and _pools(last, streams):
        refined = call(_copy(operator, name, readout=None))
        join = Concatenation(operator.units, name=f"{name}_join")
        return join(refined, modality_mask=modality_mask)
    if not last.has_weights:
        return call(last)
    # As a second output the weights stay within reach of `zoo.modality_weights`.
    return call(last, return_weights=True)[0]


def _pools(operator, streams):
    shapes = [tuple(x.shape) for x in streams]
    return len(operator.compute_output_shape(shapes)) < len(shapes[0])


def _copy(operator, name, **changes):
    return operator.from_config(operator.get_config() | changes | {"name": name})


def _hand_back(name, fused, streams):
    handed = []
    for m, x in enumerate(streams):
        back = layers.Dense(x.shape[-1], name=f"{name}_back_{m}")(fused)
        mask = getattr(x, "_keras_mask", None)
        x = layers.Add(name=f"{name}_add_{m}")([x, back])
        if mask is not None and len(fused.shape) < len(x.shape):
            # `Add` drops the mask of the tokens, since the fused vector has none.
            x = WithMask(name=f"{name}_masked_{m}")([x, mask])
        handed.append(
            layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm_{m}")(x)
        )
    return handed
