"""`TensorProto` there and back, and what is none."""

import numpy as np
import pytest
import tensorflow as tf

from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.server.tensors import spec_of, to_array, to_proto

KINDS = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1".split()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_there_and_back(kind, shape):
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(kind)
    proto = to_proto(x)
    assert not proto.tensor_content or kind == "f2"
    for sent in (proto, tf.make_tensor_proto(x)):
        back = to_array("x", sent)
        assert back.dtype == x.dtype and back.shape == x.shape
        np.testing.assert_array_equal(back, x)


def test_text():
    x = np.array([[b"a"], [b"\xff"]], object)
    assert to_proto(x).string_val == [b"a", b"\xff"]
    assert to_array("x", to_proto(x)).tolist() == x.tolist()


def changed(**fields):
    proto = tf.make_tensor_proto(np.float32([1, 2]))
    for name, value in fields.items():
        setattr(proto, name, value)
    return proto


def of_shape(*sizes):
    proto = changed()
    proto.tensor_shape.ClearField("dim")
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize(
    "proto",
    [
        changed(dtype=0),
        changed(tensor_content=b"123"),
        changed(tensor_content=b"1234"),
        of_shape(3),
        of_shape(-1),
        of_shape(2**31, 2**31, 2**31),
    ],
)
def test_what_is_no_whole_tensor(proto):
    with pytest.raises(ServingError, match="^tensor parsing error: x: ") as e:
        spec_of("x", proto)
        to_array("x", proto)
    assert e.value.code == "INVALID_ARGUMENT"
