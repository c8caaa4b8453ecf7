"""`TensorProto` to array and back, with the fields that TensorFlow Serving fills."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from keras_fusion.serving.errors import invalid

_FIELDS = {  # numpy's kind and size of a number: the field that carries it
    "f4": "float_val",
    "f8": "double_val",
    "i1": "int_val",
    "i2": "int_val",
    "i4": "int_val",
    "i8": "int64_val",
    "u1": "int_val",
    "u2": "int_val",
    "u4": "uint32_val",
    "u8": "uint64_val",
    "b1": "bool_val",
}


def to_array(name: str, proto: tensor_pb2.TensorProto, most: int) -> np.ndarray:
    """The array of a tensor that came over the wire.

    Args:
        name: The input it is for.
        proto: May hold its numbers as values or as bytes.
        most: Bytes that it may describe: one value stands for as many as the shape
            says, so a short message can ask for a huge array.

    Raises:
        ServingError: If it is no whole tensor, or too large.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    try:
        dtype = tf.as_dtype(proto.dtype)
        if min(shape, default=0) < 0 or proto.tensor_shape.unknown_rank:
            raise ValueError(f"its shape {shape} is not whole")
        if math.prod(shape) * max(dtype.size, 1) > most:
            raise ValueError(f"a shape of {shape} is over the limit of {most} bytes")
        if proto.tensor_content:  # as most clients send numbers: no detour
            flat = np.frombuffer(proto.tensor_content, dtype.as_numpy_dtype)
            return flat.reshape(shape)
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise invalid(f"tensor parsing error: {name}: {error}") from error


def to_proto(x: np.ndarray) -> tensor_pb2.TensorProto:
    """The tensor of an array, its numbers in the typed field that clients read."""
    proto = tensor_pb2.TensorProto(dtype=tf.as_dtype(x.dtype).as_datatype_enum)
    proto.tensor_shape.SetInParent()
    for size in x.shape:
        proto.tensor_shape.dim.add(size=size)
    field = _FIELDS.get(x.dtype.str[1:])
    if x.dtype == object:
        proto.string_val.extend(x.ravel().tolist())
    elif field:
        getattr(proto, field).extend(x.ravel().tolist())
    else:  # half, bfloat16, complex
        return tf.make_tensor_proto(x)
    return proto
