"""What prepares the columns of a table, beside the model that was trained on them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_fusion.common.files import whole
from keras_fusion.common.names import MASK
from keras_fusion.datasets import Dataset, Preprocessor, Schema
from keras_fusion.datasets.columns import preprocessor as columns
from keras_fusion.datasets.columns.inference import NAMES_ROWS
from keras_fusion.datasets.columns.reading import folder_of, read_columns
from keras_fusion.datasets.files.matching import Rows, left_over
from keras_fusion.datasets.tables import IS_TRAIN
from keras_fusion.export import RawColumns, child, newest
from keras_fusion.export.raw_columns import COLUMNS

FILE, ROWS = "columns.json", "raw_rows.npz"


def save(folder: Path, data: Dataset) -> None:
    """Writes the columns of a table and some raw rows; nothing of other data."""
    if data.preprocessor is None:
        return
    data.preprocessor.save(folder / FILE)
    with whole(folder / ROWS) as beside:
        child.save_groups(beside, [("rows", data.raw_samples)])


def of(path: str | Path) -> Preprocessor | None:
    """The columns of a `.keras` file or of an export, None where it has none."""
    path = Path(path)
    of_file = path.suffix == ".keras"
    file = path.with_name(FILE) if of_file else newest(path) / COLUMNS
    return Preprocessor.load(file) if file.is_file() else None


def read_rows(
    preprocessor: Preprocessor, file: str | Path, schema: Schema | None = None
) -> Rows:
    """The rows of a person's table as a model takes them; see `rows_of`."""
    table = read_columns(file)
    ids = ids_of(table, preprocessor)
    return rows_of(preprocessor, table, folder_of(file), schema, ids)


def rows_of(
    preprocessor: Preprocessor,
    table: Mapping,
    folder: Path,
    schema: Schema | None,
    ids: str | None,
    first: int = 0,
) -> Rows:
    """The rows of some columns as a model takes them, its mask included.

    Args:
        preprocessor: What prepares the columns.
        table: The columns by name.
        folder: To which paths in the table are relative.
        schema: Says what else the table that was trained on had, where that is known.
        ids: The column that names the rows, or None.
        first: The number of the first of these rows in the file.
    """
    notes = []
    rows = np.arange(first, first + len(next(iter(table.values()))))
    inputs, present = preprocessor.encode(table, folder, notes, rows=rows)
    if schema is not None:
        taken = (column.name for column in preprocessor.columns)
        others = schema.label, *schema.left_out, *preprocessor.left_out, IS_TRAIN
        known = {*taken, *others, ids}
        notes += left_over(name for name in table if name not in known)
    named = None if ids is None else (ids, table[ids])
    return Rows(inputs | {MASK: present}, named, tuple(notes))


def ids_of(table: Mapping, preprocessor: Preprocessor) -> str | None:
    """The column that is no input and differs in every row, None if there is none."""
    named = [n for n, why in preprocessor.left_out.items() if why in NAMES_ROWS]
    taken = {column.name for column in preprocessor.columns}
    for name in (*named, *({"id"} - taken)):
        values = table.get(name)
        if values is not None and len({*map(str, values)}) == len(values):
            return name
    return None


def raw_columns(path: str | Path) -> RawColumns | None:
    """What an export needs of a `.keras` file for its signature of raw columns."""
    path = Path(path)
    rows, file = path.with_name(ROWS), path.with_name(FILE)
    if not rows.is_file() or not file.is_file():
        return None
    ((_, samples),) = child.load_groups(rows)
    return RawColumns(columns.__name__, file, samples)
