"""`TensorProto` to array and back, with the fields that TensorFlow Serving fills."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from keras_fusion.serving.errors import invalid

_FIELDS = {  # numpy's kind and size of a number: the field that carries it
    "f4": "float_val",
    "f8": "double_val",
    "i8": "int64_val",
    "u4": "uint32_val",
    "u8": "uint64_val",
    "b1": "bool_val",
    **dict.fromkeys(["i1", "i2", "i4", "u1", "u2"], "int_val"),
}


def spec_of(name: str, proto: tensor_pb2.TensorProto) -> tf.TensorSpec:
    """What a tensor that came over the wire says that it is; nothing is made of it.

    Raises:
        ServingError: If its dtype is none or its shape is not whole.
    """
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise _unfit(name, f"its shape {shape} is not whole")
    try:
        return tf.TensorSpec(shape, tf.as_dtype(proto.dtype))
    except TypeError as error:
        raise _unfit(name, error) from None


def to_array(name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """The array of a tensor that came over the wire, as values or as bytes.

    Raises:
        ServingError: If it is no whole tensor.
    """
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError) as error:
        raise _unfit(name, error) from None


def to_proto(x: np.ndarray) -> tensor_pb2.TensorProto:
    """The tensor of an array, its numbers in the typed field that clients read."""
    field = "string_val" if x.dtype == object else _FIELDS.get(x.dtype.str[1:])
    if not field:  # half, bfloat16, complex
        return tf.make_tensor_proto(x)
    proto = tensor_pb2.TensorProto(
        dtype=tf.as_dtype(x.dtype).as_datatype_enum,
        tensor_shape=tf.TensorShape(x.shape).as_proto(),
    )
    getattr(proto, field).extend(x.ravel().tolist())
    return proto


def _unfit(name, reason):
    return invalid(f"tensor parsing error: {name}: {reason}")
