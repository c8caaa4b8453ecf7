"""Models at a server, and what their signatures take and give."""

from typing import NamedTuple

import numpy as np

from keras_fusion.common.errors import InputError

# TensorFlow's names that are not numpy's in capitals.
_DTYPES = {"HALF": "float16", "FLOAT": "float32", "DOUBLE": "float64"}
_DTYPES["STRING"] = "object"
PRESENT = "_present"  # behind a modality's name: the input that says where it is


class Target(NamedTuple):
    """A model at a server, its newest version unless one is named."""

    model: str
    version: int | None = None
    label: str | None = None


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
            *(
                {n: _tensor(info) for n, info in definition.get(side, {}).items()}
                for side in ("inputs", "outputs")
            )
        )
        for name, definition in signature_map["signature_def"].items()
        if not name.startswith("__")
    }


def _tensor(info):
    name = info["dtype"].removeprefix("DT_")
    try:
        dtype = np.dtype(_DTYPES.get(name, name.lower()))
    except TypeError:
        raise InputError(f"No client can send or read a tensor of {name}.") from None
    shape = info.get("tensor_shape", {})
    if shape.get("unknown_rank"):
        return Tensor(dtype, None)
    sizes = [int(dim.get("size", 0)) for dim in shape.get("dim", [])]
    return Tensor(dtype, tuple(None if size < 0 else size for size in sizes))
