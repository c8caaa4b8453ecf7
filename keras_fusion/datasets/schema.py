"""What a model was trained on, by name, so that other files can be matched to it."""

from dataclasses import dataclass
from typing import Self

from keras_fusion.datasets.errors import DataError

_KEYS = {"modalities", "label", "left_out"}


@dataclass(frozen=True)
class Schema:
    """The inputs of a model as a file names them.

    Attributes:
        modalities: The columns of each modality in the order of its features; none
            where it is one array.
        label: The column that holds the labels, which is no input.
        left_out: Further columns that are none, such as an index.
    """

    modalities: dict[str, tuple[str, ...]]
    label: str = "y"
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict:
        """As JSON holds it."""
        return {
            "modalities": {m: list(names) for m, names in self.modalities.items()},
            "label": self.label,
            "left_out": list(self.left_out),
        }

    @classmethod
    def from_json(cls, content: object) -> Self:
        """What `to_json` gave.

        Raises:
            DataError: If it is something else.
        """
        if not isinstance(content, dict) or set(content) != _KEYS:
            raise DataError(f"expected the keys {sorted(_KEYS)} in a schema.")
        modalities = content["modalities"]
        if not isinstance(modalities, dict) or not all(
            map(_names, modalities.values())
        ):
            raise DataError("expected lists of column names by modality in a schema.")
        if not isinstance(content["label"], str) or not _names(content["left_out"]):
            raise DataError("expected names in `label` and `left_out` of a schema.")
        return cls(
            {m: tuple(names) for m, names in modalities.items()},
            content["label"],
            tuple(content["left_out"]),
        )


def _names(value):
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
