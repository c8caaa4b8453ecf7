"""What prepares the columns of a table, beside the model that was trained on them."""

from pathlib import Path

from keras_fusion.datasets import Dataset, Preprocessor
from keras_fusion.datasets.columns import preprocessor as columns
from keras_fusion.datasets.columns.reading import folder_of, read_columns
from keras_fusion.datasets.files.matching import Rows
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


def read_rows(preprocessor: Preprocessor, file: str | Path) -> Rows:
    """The rows of a person's table as a model takes them, its mask included."""
    notes = []
    inputs, present = preprocessor.encode(read_columns(file), folder_of(file), notes)
    return Rows(inputs | {MASK: present}, None, tuple(notes))


def raw_columns(path: str | Path) -> RawColumns | None:
    """What an export needs of a `.keras` file for its signature of raw columns."""
    path = Path(path)
    rows, file = path.with_name(ROWS), path.with_name(FILE)
    if not rows.is_file() or not file.is_file():
        return None
    ((_, samples),) = child.load_groups(rows)
    return RawColumns(columns.__name__, file, samples)
