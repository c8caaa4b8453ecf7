"""What prepares the columns of a table, beside the model that was trained on them."""

from pathlib import Path

from keras_fusion.datasets import Dataset, Preprocessor, Schema
from keras_fusion.datasets.columns import preprocessor as columns
from keras_fusion.datasets.columns.inference import NAMES_ROWS
from keras_fusion.datasets.columns.reading import folder_of, read_columns
from keras_fusion.datasets.files.matching import Rows, left_over
from keras_fusion.datasets.tables import IS_TRAIN
from keras_fusion.export import RawColumns, child, newest
from keras_fusion.export.raw_columns import COLUMNS
from keras_fusion.files import whole
from keras_fusion.names import MASK

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
    """The rows of a person's table as a model takes them, its mask included.

    Args:
        preprocessor: What prepares the columns.
        file: The table.
        schema: Says what else the table that was trained on had, where that is known.
    """
    table, notes = read_columns(file), []
    inputs, present = preprocessor.encode(table, folder_of(file), notes)
    ids = _ids(table, preprocessor)
    if schema is not None:
        taken = (column.name for column in preprocessor.columns)
        others = schema.label, *schema.left_out, *preprocessor.left_out, IS_TRAIN
        known = {*taken, *others, ids and ids[0]}
        notes += left_over(name for name in table if name not in known)
    return Rows(inputs | {MASK: present}, ids, tuple(notes))


def _ids(table, preprocessor):
    """Name and values of a column that is no input and differs in every row."""
    named = [n for n, why in preprocessor.left_out.items() if why in NAMES_ROWS]
    taken = {column.name for column in preprocessor.columns}
    for name in (*named, *({"id"} - taken)):
        values = table.get(name)
        if values is not None and len({*map(str, values)}) == len(values):
            return name, values
    return None


def raw_columns(path: str | Path) -> RawColumns | None:
    """What an export needs of a `.keras` file for its signature of raw columns."""
    path = Path(path)
    rows, file = path.with_name(ROWS), path.with_name(FILE)
    if not rows.is_file() or not file.is_file():
        return None
    ((_, samples),) = child.load_groups(rows)
    return RawColumns(columns.__name__, file, samples)
