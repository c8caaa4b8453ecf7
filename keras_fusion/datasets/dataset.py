"""What a data set is: before (`Raw`) and after (`Dataset`) it is prepared."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np


class Raw(NamedTuple):
    """A data set as it was read.

    Attributes:
        inputs: `(N, ...)` float32 by modality; NaN where something is missing.
        labels: `(N,)`, strings or numbers, or masks `(N, H, W)` of whole numbers.
        is_train: `(N,)`, False where a row belongs to the fixed test part, or None.
        class_names: Of masks, by number; empty where the values are the names.
        groups: `(N,)`, whole numbers, such as the person of each row: rows of one group
            stay together. None splits row by row, each class in proportion.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    is_train: np.ndarray | None
    class_names: tuple[str, ...] = ()
    groups: np.ndarray | None = None


class Split(NamedTuple):
    """One part of a data set, so that `model.fit(*data.train)` works.

    Attributes:
        inputs: `(B, ...)` float32 by modality, standardised; a modality that is absent
            in a row is NaN there (see `modality_mask`).
        labels: `(B,)` int32 class numbers, or float32 for regression; masks are
            `(B, H, W)` int32.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set that is ready to train on.

    Attributes:
        class_names: One name per class number; empty for regression. Masks of
            foreground (1) and background (0) have one, that of the foreground.
        statistics: `(mean, std)` by modality, float64 in the shape of one row, from
            the training rows. `standardise` takes them to prepare new rows.
        notes: What was changed in the data, a sentence each.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    statistics: dict[str, tuple[np.ndarray, np.ndarray]]
    notes: tuple[str, ...]

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one row, by modality."""
        return {name: x.shape[1:] for name, x in self.train.inputs.items()}

    @property
    def classes(self) -> int:
        """The number of classes; 1 for regression and for foreground masks."""
        return len(self.class_names) or 1

    def without(self, modality: str) -> "Dataset":
        """The same rows as if this modality had never been measured."""
        return self.only(*(m for m in self.input_shapes if m != modality))

    def only(self, *modalities: str) -> "Dataset":
        """The same rows as if nothing but these modalities had been measured."""

        def rest(by_modality):
            return {m: x for m, x in by_modality.items() if m in modalities}

        parts = {
            part: getattr(self, part)._replace(inputs=rest(getattr(self, part).inputs))
            for part in ("train", "validation", "test")
        }
        return replace(self, statistics=rest(self.statistics), **parts)
