"""What the signatures of a model take and give, read from a server's metadata."""

from typing import NamedTuple

import numpy as np

from keras_fusion.errors import InputError

_DTYPES = {
    "DT_BOOL": "bool",
    "DT_HALF": "float16",
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_INT8": "int8",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_UINT8": "uint8",
    "DT_UINT16": "uint16",
    "DT_UINT32": "uint32",
    "DT_UINT64": "uint64",
    "DT_STRING": "object",
}
PRESENT = "_present"  # behind a modality's name: the input that says where it is


class Tensor(NamedTuple):
    """An input or output.

    Attributes:
        dtype: numpy's, `object` for strings.
        shape: A size of None is free; None instead of a shape is any.
    """

    dtype: np.dtype
    shape: tuple | None


class Described(NamedTuple):
    """One signature: its inputs and outputs by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    @property
    def flags(self) -> set[str]:
        """The inputs that say in which rows another input is present."""
        return {f"{name}{PRESENT}" for name in self.inputs} & self.inputs.keys()


def described(signature_map: dict) -> dict[str, Described]:
    """The signatures of the JSON of a `SignatureDefMap`, without TensorFlow's own.

    Raises:
        ValueError: If a tensor is of a dtype that no client can send.
    """
    return {
        name: Described(
            _tensors(definition.get("inputs", {})),
            _tensors(definition.get("outputs", {})),
        )
        for name, definition in signature_map["signature_def"].items()
        if not name.startswith("__")
    }


def _tensors(infos):
    return {name: _tensor(info) for name, info in infos.items()}


def _tensor(info):
    if info["dtype"] not in _DTYPES:
        raise InputError(f"No client can send or read a tensor of {info['dtype']}.")
    shape = info.get("tensor_shape", {})
    sizes = [int(dim.get("size", 0)) for dim in shape.get("dim", [])]
    return Tensor(
        np.dtype(_DTYPES[info["dtype"]]),
        None
        if shape.get("unknown_rank")
        else tuple(None if size < 0 else size for size in sizes),
    )
