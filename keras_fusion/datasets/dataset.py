"""What a data set is: before (`Raw`) and after (`Dataset`) it is prepared."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from keras_fusion.datasets import times
from keras_fusion.datasets.arrays import modality_mask
from keras_fusion.datasets.asked import SURVIVAL
from keras_fusion.datasets.columns.preprocessor import Preprocessor
from keras_fusion.datasets.scaling import Scale
from keras_fusion.datasets.schema import Schema


@dataclass(frozen=True, eq=False)
class Raw:
    """A data set as it was read.

    Attributes:
        inputs: `(N, ...)` numbers by modality, of the file's own dtype; NaN where
            something is missing.
        labels: `(N,)`, strings or numbers, `(N, K)` of 0 and 1 where rows have several
            labels at once, `(N, 2)` float32 of times and events, or masks `(N, H, W)`
            of whole numbers.
        is_train: `(N,)`, False where a row belongs to the fixed test part, or None.
        class_names: Of masks, of several labels and of classes in an order, by number;
            empty where the values are the names.
        groups: `(N,)` numbers or text, such as the person of each row: rows of one
            group stay together. None splits row by row, each class in proportion.
        columns: The names of the columns of each modality that is made of some, in the
            order of its features.
        modality_mask: `(N, M)` bool, True where a modality is there; None finds it by
            NaN.
        left_out: Columns of the file that are no input, such as an index.
        notes: What was changed or noticed as it was read, a sentence each.
        reserved: Columns that decide the split, `(N,)` as they stand, by name.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    is_train: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    modality_mask: np.ndarray | None = None
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reserved: dict[str, np.ndarray] = field(default_factory=dict)

    def rows(self, these: np.ndarray) -> "Raw":
        """Some rows, by number or by `(N,)` bool."""

        def some(x):
            return None if x is None else x[these]

        return replace(
            self,
            inputs={name: x[these] for name, x in self.inputs.items()},
            reserved={name: x[these] for name, x in self.reserved.items()},
            labels=self.labels[these],
            is_train=some(self.is_train),
            groups=some(self.groups),
            modality_mask=some(self.modality_mask),
        )

    def noted(self, *notes: str) -> "Raw":
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a data set, so that `model.fit(*data.train)` works.

    Keras takes the pair of `tuple(data.validation)` as `validation_data`.

    Iterating it gives `inputs` and `labels`.

    Attributes:
        inputs: `(B, ...)` by modality, scaled to float32, or whole numbers of their own
            dtype where nothing is scaled. Small whole numbers, maps and volumes are
            `ScaledRows`, which are scaled when they are indexed, and files of a table
            that is streamed `ReadRows`, which are read then. A modality that is
            absent in a row is NaN there, if its dtype can be.
        labels: `(B,)` int32 class numbers, or float32 for regression; several labels
            at once are `(B, K)` int32 of 0 and 1, times and events `(B, 2)` float32,
            masks `(B, H, W)` int32.
        modality_mask: `(B, M)` bool, True where a modality is there, in the order of
            `inputs`. None finds it by NaN.
    """

    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    modality_mask: np.ndarray | None = None

    def __post_init__(self):
        if self.modality_mask is None:
            object.__setattr__(self, "modality_mask", modality_mask(self.inputs))

    def __iter__(self) -> Iterator:
        return iter((self.inputs, self.labels))

    def only(self, *modalities: str) -> "Split":
        """The same rows with nothing but these modalities."""
        kept = [name in modalities for name in self.inputs]
        return Split(
            {name: x for name, x in self.inputs.items() if name in modalities},
            self.labels,
            self.modality_mask[:, kept],
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set that is ready to train on.

    Attributes:
        class_names: One name per class number; empty for regression. Masks of
            foreground (1) and background (0) have one, that of the foreground.
        statistics: How each modality was scaled, a `Scale`, which unpacks as `mean,
            std`, float64 in the shape of one row, from the training rows.
            `standardize` takes them to prepare new rows.
        notes: What was changed or noticed in the data, a sentence each.
        columns: The names of the columns of each modality that is made of some, in the
            order of its features.
        target: Mean and standard deviation of the labels over the training rows, for
            regression; else None.
        samples: Some raw rows of the validation part by modality, as they were before
            they were scaled, NaN where something is missing; of a table as its
            preprocessor gives them, with their `modality_mask`.
        label: The array or column of the file that holds the labels, or several.
        left_out: Columns of the file that are no input, such as an index.
        preprocessor: Of a table: what makes the inputs of its columns. `statistics` is
            empty then.
        raw_samples: Of a table: the rows of `samples` as an exported graph takes them,
            by the names of its inputs.
        named_task: The task where the labels do not tell it: `"ordinal"`, `"risk"` or
            `"survival"`; else None.
        times: Of the tasks of times: those that cut the events of the training rows
            into intervals of about as many, at which survival is told.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    statistics: dict[str, Scale]
    notes: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    target: tuple[float, float] | None = None
    samples: dict[str, np.ndarray] = field(default_factory=dict)
    label: str | tuple[str, ...] = "y"
    left_out: tuple[str, ...] = ()
    preprocessor: Preprocessor | None = None
    raw_samples: dict[str, np.ndarray] = field(default_factory=dict)
    named_task: str | None = None
    times: tuple[float, ...] = ()

    @property
    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of one row, by modality."""
        return {name: x.shape[1:] for name, x in self.train.inputs.items()}

    @property
    def schema(self) -> Schema:
        """The inputs by the names of their columns, to match other files by."""
        modalities = {m: self.columns.get(m, ()) for m in self.input_shapes}
        label, *others = [self.label] if isinstance(self.label, str) else self.label
        return Schema(modalities, label, (*others, *self.left_out))

    @property
    def task(self) -> str:
        """One of `datasets.labels.TASKS`; masks are classified pixel by pixel."""
        if self.named_task:
            return self.named_task
        if self.train.labels.ndim == 2:
            return "multilabel"
        return "classification" if self.class_names else "regression"

    @property
    def classes(self) -> int:
        """The number of classes; 1 for regression, risk and foreground masks.

        Of survival it is that of the intervals.
        """
        if self.named_task == SURVIVAL:
            return len(self.times) + 1
        return len(self.class_names) or 1

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the numbers of a prediction are of: classes, or times as texts."""
        return self.class_names or times.names(self.times)

    def without(self, modality: str) -> "Dataset":
        """The same rows as if this modality had never been measured."""
        return self.only(*(m for m in self.input_shapes if m != modality))

    def only(self, *modalities: str) -> "Dataset":
        """The same rows as if nothing but these modalities had been measured."""

        def rest(by_modality):
            return {m: x for m, x in by_modality.items() if m in modalities}

        return replace(
            self,
            train=self.train.only(*modalities),
            validation=self.validation.only(*modalities),
            test=self.test.only(*modalities),
            statistics=rest(self.statistics),
            columns=rest(self.columns),
            samples=rest(self.samples),
            preprocessor=self.preprocessor and self.preprocessor.only(*modalities),
        )
