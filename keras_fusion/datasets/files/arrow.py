"""csv and parquet by pyarrow; every csv column is text until numbers are asked for."""

import csv
import importlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_fusion.common.errors import first_line
from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files.table import NotNumbers, Table
from keras_fusion.datasets.files.text_numbers import parse

UNNAMED = ("", "Unnamed: 0")  # what pandas' to_csv and read_csv call an index


@dataclass(frozen=True)
class ArrowColumn:
    """One column.

    Attributes:
        text_is_numbers: Whether the text may stand for numbers, as it does in a csv.
    """

    name: str
    values: object
    text_is_numbers: bool

    def numbers(self) -> np.ndarray:
        import pyarrow.types as types

        kind = self.values.type
        if types.is_null(kind):
            return np.full(len(self.values), np.nan)
        if self.text_is_numbers:
            return parse(self.name, self.values)
        if types.is_decimal(kind):
            return self.values.cast("float64").to_numpy()
        if _is_list(kind):
            return _nested(self.name, self.values.combine_chunks())
        if not (
            types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
        ):
            raise NotNumbers(f"{self.name!r} holds {self._described()}")
        return _numpy(self.values)

    def labels(self) -> np.ndarray:
        values = self.values
        if str(values.type).startswith("dictionary"):
            values = values.cast(values.type.value_type)
        if values.null_count or str(values.type) not in _NUMBERS:
            return np.array(values.to_pylist(), object)
        return values.to_numpy()

    def _described(self):
        kind = str(self.values.type)
        if kind.startswith(("timestamp", "date", "time", "duration")):
            return "dates"
        first = next((x for x in self.labels() if x is not None), None)
        if isinstance(first, str):
            return f"text, such as {first[:30]!r}"
        return f"{kind} values"


_NUMBERS = tuple(
    f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
) + ("halffloat", "float", "double", "bool")


def open_csv(path: Path) -> Table:
    """The columns of a csv file; `;` or tabs separate where no comma is in line 1.

    Raises:
        DataError: If it cannot be read, is not in UTF-8, or a name comes twice.
    """
    names, options = csv_options(path)
    try:
        found = pyarrow("csv").read_csv(path, **options)
    except broken() as error:
        raise DataError(
            f"{path}: cannot be read as csv ({first_line(error)})."
        ) from error
    index = names[0] if names and names[0] in UNNAMED else None
    return table(found, index, text_is_numbers=True)


def csv_options(path: Path) -> tuple[list[str], dict]:
    """The names in a csv file's first line, and how pyarrow reads it, all as text."""
    csv = pyarrow("csv")
    names, delimiter = _header(path)
    require_unique(path, names)
    return names, {
        "parse_options": csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(names, "string"),
            null_values=[""],
            strings_can_be_null=True,
        ),
    }


def open_parquet(path: Path) -> Table:
    """The columns of a parquet file; pandas says in it which one is its index.

    Raises:
        DataError: If it cannot be read, or a name comes twice.
    """
    parquet = pyarrow("parquet")
    try:
        found = parquet.ParquetFile(path).read()
        found.validate(full=True)  # else text that is no UTF-8 is found far from here
    except broken() as error:
        reason = first_line(error)
        raise DataError(f"{path}: cannot be read as parquet ({reason}).") from error
    require_unique(path, found.column_names)
    return table(found, index_of(found.schema), text_is_numbers=False)


def index_of(schema) -> str | None:
    """The column in which pandas wrote its index."""
    about = schema.pandas_metadata or {}
    names = [x for x in about.get("index_columns", []) if x in schema.names]
    return names[0] if names else None


def table(found, index: str | None, text_is_numbers: bool) -> Table:
    """A table of pyarrow's as one of ours."""
    columns = {
        name: ArrowColumn(name, found[i], text_is_numbers)
        for i, name in enumerate(found.column_names)
    }
    return Table(columns, index, by_prefix=True)


def pyarrow(module: str):
    """This module of pyarrow's.

    Raises:
        ImportError: If pyarrow is not installed.
    """
    try:
        return importlib.import_module(f"pyarrow.{module}")
    except ImportError as error:
        raise ImportError(
            "Reading csv and parquet files needs pyarrow: "
            'pip install "keras-fusion[datasets]".'
        ) from error


def broken() -> tuple[type[Exception], ...]:
    """What pyarrow raises where a file is not whole."""
    import pyarrow as pa

    return (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError)


def _header(path):
    """The names in the first line, and what separates them."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}: line {number} is no UTF-8 text (byte "
                    f"0x{line[error.start]:02x}): save the file as UTF-8."
                ) from error
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        if not first.strip():
            raise DataError(f"{path}: cannot be read as csv (it has no first line).")
        marks = [mark for mark in ",;\t" if mark in first]
        delimiter = marks[0] if marks else ","
        file.seek(0)
        try:
            return next(csv.reader(file, delimiter=delimiter)), delimiter
        except (csv.Error, StopIteration) as error:
            raise DataError(f"{path}: cannot be read as csv ({error}).") from error


def require_unique(path: Path, names: list[str]) -> None:
    """Raises a DataError where two columns have one name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path}: several columns are called {listed(twice)}.")


def _is_list(kind):
    import pyarrow.types as types

    return (
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
    )


def _nested(name, values):
    """Lists of one length, of numbers or of lists again, -> `(N, length, ...)`."""
    import pyarrow.compute as pc
    import pyarrow.types as types

    rows = len(values)
    if not _is_list(values.type):
        if not (types.is_integer(values.type) or types.is_floating(values.type)):
            raise NotNumbers(f"{name!r} holds lists of {values.type}")
        return _numpy(values)
    lengths = pc.list_value_length(values)
    sizes = pc.unique(lengths.drop_null()).to_pylist()
    if len(sizes) != 1:
        found = listed(sorted(sizes)) or "none"
        raise NotNumbers(f"{name!r} holds lists of several lengths ({found})")
    there = values.is_valid().to_numpy(zero_copy_only=False)
    inner = _nested(name, pc.list_flatten(values))
    if there.all():
        return inner.reshape(rows, sizes[0], *inner.shape[1:])
    full = np.full((rows, sizes[0], *inner.shape[1:]), np.nan)
    full[there] = inner.reshape(-1, sizes[0], *inner.shape[1:])
    return full


def _numpy(values):
    """Numbers with NaN for null; whole numbers without null keep their dtype."""
    if values.null_count:
        values = values.cast("float64")
    chunked = hasattr(values, "chunks")
    return values.to_numpy() if chunked else values.to_numpy(zero_copy_only=False)
