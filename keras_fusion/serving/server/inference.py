"""What a prediction asks for, and whether it fits: the same for REST and gRPC.

The sentences are those of TensorFlow Serving wherever it checks the same itself.
"""

import math

import numpy as np
import tensorflow as tf

from keras_fusion.names import EDGES
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import tensors
from keras_fusion.serving.server.limits import USUAL, Limits
from keras_fusion.serving.server.servable import Servable

DEFAULT = "serving_default"


def arrays_of(request, limits: Limits = USUAL) -> dict[str, np.ndarray]:
    """The arrays of a `PredictRequest`.

    Raises:
        ServingError: If one is no whole tensor.
    """
    return {
        name: tensors.to_array(name, proto, limits.body)
        for name, proto in request.inputs.items()
    }


def check(
    servable: Servable,
    signature: str,
    inputs: dict[str, np.ndarray],
    output_filter: list[str] = (),
    limits: Limits = USUAL,
) -> None:
    """Refuses what does not fit, before anything is computed.

    Raises:
        ServingError: With the sentence that the client is to read.
    """
    if signature not in servable.signatures:
        sentence = f'Serving signature key "{signature}" not found.'
        raise ServingError("FAILED_PRECONDITION", sentence)
    specs, outputs, _ = servable.signatures[signature]
    _check_names(set(inputs), set(specs))
    _check_outputs(output_filter, outputs)
    for name, x in inputs.items():
        _check_tensor(name, x, *specs[name])
    free = {name for name, (_, shape) in specs.items() if shape and shape[0] is None}
    # The nodes of a graph are one batch, which nothing can take apart.
    limit = math.inf if EDGES & specs.keys() else limits.batch
    _check_batch({name: inputs[name].shape[0] for name in free - EDGES}, limit)


def _check_names(sent, expected):
    if len(sent) != len(expected):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({_set(sent)}) != len({_set(expected)}). "
            f"Sent extra: {_set(sent - expected)}. "
            f"Missing but required: {_set(expected - sent)}."
        )
    for name in sorted(sent - expected):
        raise invalid(
            f"input tensor alias not found in signature: {name}. Inputs expected to "
            f"be in the set {_set(expected)}."
        )


def _check_outputs(asked, outputs):
    for i, name in enumerate(asked):
        if name not in outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs "
                f"expected to be in the set {_set(outputs)}."
            )
        if name in asked[:i]:
            raise invalid(f"duplicate output tensor alias: {name}")


def _check_tensor(name, x, dtype, shape):
    if tf.as_dtype(x.dtype) != dtype:
        raise invalid(
            f"Input {name!r} is expected to be {dtype.name} but "
            f"{tf.as_dtype(x.dtype).name} is provided."
        )
    if shape is None:
        return
    fits = len(shape) == x.ndim and all(
        size in (None, got) for size, got in zip(shape, x.shape)
    )
    if not fits:
        raise invalid(
            f"Input {name!r} must have the shape {shape}; received {x.shape}."
        )


def _check_batch(rows, limit):
    # TensorFlow would spread a batch of one over the others silently; TensorFlow
    # Serving says this where it batches, as deploy/ has it do.
    if len(set(rows.values())) > 1:
        raise invalid(
            "Batching session Run() input tensors must have equal 0th-dimension "
            f"size; received {rows}."
        )
    most = max(rows.values(), default=0)
    if most > limit:
        raise invalid(
            f"Task size {most} is larger than maximum input batch size {limit}."
        )


def _set(names):
    return "{" + ",".join(sorted(names)) + "}"
