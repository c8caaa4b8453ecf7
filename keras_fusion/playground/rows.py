"""Rows to try a model with: what it takes of them, and what a person sees."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_fusion import datasets
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import MASK
from keras_fusion.datasets.columns import raw
from keras_fusion.datasets.columns.reading import folder_of, read_columns
from keras_fusion.experiments import kept_rows, prediction, table_columns

MOST = 200
_LISTED = 12  # columns of numbers, above which they are one array
_KINDS = {"image": "picture", "audio": "sound", "array": "numbers"}


class Seen(NamedTuple):
    """What a person sees of a modality, or of one column of it.

    Attributes:
        name: Of the column; empty where it is the whole modality.
        kind: `picture` or `sound`, whose values are bytes, `text` or `numbers`.
        values: `(B, ...)`, one a row.
    """

    name: str
    kind: str
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows, `MOST` at most.

    Attributes:
        inputs: `(B, ...)` raw arrays by modality, as `prediction.predict` takes them.
        present: `(B, M)` bool, False where a modality is absent.
        seen: What is shown, by modality.
        names: What each row is called.
        notes: What was noticed in the file, a sentence each.
    """

    inputs: dict[str, np.ndarray]
    present: np.ndarray
    seen: dict[str, list[Seen]]
    names: list[str]
    notes: tuple[str, ...] = ()


def kept(model: Path) -> Rows:
    """The rows of the validation part that training left beside a `.keras` file.

    Raises:
        ValueError: If there are none.
    """
    inputs = kept_rows.samples(model)
    if not inputs:
        raise InputError(f"There are no rows beside {model}: name some by --rows FILE.")
    columns = table_columns.of(model)
    values = columns and table_columns.raw_columns(model).samples
    return _rows(model, inputs, columns, values, None, ())


def of_file(model: Path, file: str | Path) -> Rows:
    """The first rows of a person's file.

    Raises:
        ValueError: If the file does not fit the model, or is empty.
    """
    columns = table_columns.of(model)
    if columns is None:
        found = prediction.read_rows(model, file)
        inputs = {name: x[:MOST] for name, x in found.inputs.items()}
        return _rows(model, inputs, None, None, found.ids, found.notes)
    table = {name: x[:MOST] for name, x in read_columns(file).items()}
    notes, folder = [], folder_of(file)
    inputs, present = columns.encode(table, folder, notes)
    values = raw.values(columns, table, folder)
    return _rows(model, inputs | {MASK: present}, columns, values, None, notes)


def _rows(model, inputs, columns, values, ids, notes):
    inputs = dict(inputs)
    present = inputs.pop(MASK, None)
    if present is None:
        present = datasets.modality_mask(inputs)
    if not len(present):
        raise InputError("Expected at least one row to show; received none.")
    names = [str(x) for x in ids[1][:MOST]] if ids else map(str, range(len(present)))
    seen = (
        {m: _of_columns(columns, m, values) for m in inputs}
        if columns
        else {
            m: _of_arrays(prediction.columns(model).get(m), x)
            for m, x in inputs.items()
        }
    )
    return Rows(inputs, present.astype(bool), seen, list(names), tuple(notes))


def _of_columns(columns, modality, values):
    """The columns of a table as its exported graph takes them."""
    found = {column: name for name, (column, _, _) in raw.inputs(columns).items()}
    return [
        Seen(c.name, _KINDS.get(c.kind, "text"), values[found[c.name]])
        for c in columns.modalities[modality]
    ]


def _of_arrays(names, x):
    """An array as it is, or its columns where they are few."""
    if names and len(names) <= _LISTED and x.ndim == 2 and x.shape[1] == len(names):
        return [Seen(name, "text", x[:, i]) for i, name in enumerate(names)]
    return [Seen("", "numbers", x)]
