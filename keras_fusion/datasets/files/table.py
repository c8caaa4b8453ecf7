"""A file as columns that are converted when somebody asks for them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from keras_fusion.datasets.errors import DataError


class NotNumbers(DataError):
    """A column holds something else; the message says what and where."""


class Column(Protocol):
    """One array or column of a file."""

    def numbers(self) -> np.ndarray:
        """`(N, ...)` numbers, NaN where one is missing; raises `NotNumbers`."""

    def labels(self) -> np.ndarray:
        """The values as they stand: text as text, None or NaN where one is missing."""


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes:
        columns: By name, in the order of the file.
        index: The column in which pandas wrote its index, or None.
        by_prefix: Whether single columns make modalities together, by their prefix.
    """

    columns: dict[str, Column]
    index: str | None = None
    by_prefix: bool = False
