"""`TensorProto` to array and back, with the fields that TensorFlow Serving fills."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from keras_fusion.serving.errors import invalid
from keras_fusion.serving.server.servable import Spec

_FIELDS = {  # numpy's kind and size of a number: the field that carries it
    "f4": "float_val",
    "f8": "double_val",
    "i8": "int64_val",
    "u4": "uint32_val",
    "u8": "uint64_val",
    "b1": "bool_val",
    **dict.fromkeys(["i1", "i2", "i4", "u1", "u2"], "int_val"),
}
_TEXT = 64  # bytes that a text of no characters takes in Python, and its place


def specs_of(request, most: int) -> dict[str, Spec]:
    """What the tensors of a `PredictRequest` say that they are.

    One value stands for as many as the shape says, so a short message can ask for a
    huge array: nothing is made before this has been looked at.

    Args:
        request: Whose inputs are looked at.
        most: Bytes that all of them may describe.

    Raises:
        ServingError: If one is no tensor, or they are too large.
    """
    specs, size = {}, 0
    for name, proto in request.inputs.items():
        shape = tuple(dim.size for dim in proto.tensor_shape.dim)
        try:
            dtype = tf.as_dtype(proto.dtype)
        except TypeError as error:
            raise _unfit(name, error) from None
        if min(shape, default=0) < 0 or proto.tensor_shape.unknown_rank:
            raise _unfit(name, f"its shape {shape} is not whole")
        size += math.prod(shape) * (_TEXT if dtype == tf.string else max(dtype.size, 1))
        if size > most:
            raise _unfit(name, f"a shape of {shape} is over the limit of {most} bytes")
        specs[name] = Spec(dtype, shape)
    return specs


def to_array(name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """The array of a tensor that came over the wire, as values or as bytes.

    Raises:
        ServingError: If it is no whole tensor.
    """
    try:
        if proto.tensor_content:  # as most clients send numbers: no detour
            dtype = tf.as_dtype(proto.dtype).as_numpy_dtype
            shape = [dim.size for dim in proto.tensor_shape.dim]
            return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise _unfit(name, error) from None


def to_proto(x: np.ndarray) -> tensor_pb2.TensorProto:
    """The tensor of an array, its numbers in the typed field that clients read."""
    proto = tensor_pb2.TensorProto(dtype=tf.as_dtype(x.dtype).as_datatype_enum)
    proto.tensor_shape.SetInParent()
    for size in x.shape:
        proto.tensor_shape.dim.add(size=size)
    field = "string_val" if x.dtype == object else _FIELDS.get(x.dtype.str[1:])
    if not field:  # half, bfloat16, complex
        return tf.make_tensor_proto(x)
    getattr(proto, field).extend(x.ravel().tolist())
    return proto


def _unfit(name, reason):
    return invalid(f"tensor parsing error: {name}: {reason}")
