"""Predictions for a file that may be larger than the memory, part by part."""

import functools
import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import alone_in, read_json, whole, write_json
from keras_fusion.datasets.columns.reading import column_parts, files_of, folder_of
from keras_fusion.datasets.files import Rows, row_parts
from keras_fusion.experiments import prediction, predictions, table_columns
from keras_fusion.experiments.engines import Here, OnRay
from keras_fusion.experiments.network_share import weights_notes
from keras_fusion.export import newest

FORMATS = (".csv", ".parquet")
_TABLES = (".csv", ".tsv", ".txt", ".parquet")
_RECORD = "of.json"
_MOST = 10_000  # rows of a part
_BATCHES = 16  # in a part of pictures
_NOTES = 10


class Part(NamedTuple):
    """Some rows of a file.

    Attributes:
        count: How many.
        rows: Gives them as a model takes them.
    """

    count: int
    rows: Callable[[], Rows]


def is_cut(model: str | Path, file: str | Path, output: str | Path | None) -> bool:
    """Whether `write` takes these: a table by name into a table."""
    path = Path(file)
    if output is None or Path(output).suffix not in FORMATS:
        return False
    if table_columns.of(model) is not None:
        return path.suffix.lower() in _TABLES or not path.is_file()
    known = prediction.schema_of(model) is not None
    return known and path.is_file() and path.suffix.lower() in FORMATS


def write(
    model: str | Path,
    file: str | Path,
    output: str | Path,
    *,
    report: Callable[[int], None] = lambda rows: None,
    address: str | None = None,
) -> tuple[str, ...]:
    """Predicts all rows of a table in constant memory, and goes on after a kill.

    Beside the output lies a folder with the parts that are done. It is removed when
    the output is whole, and where it belongs to another model or file.

    Args:
        model: A `.keras` file that `train` wrote, or an exported SavedModel.
        file: A csv or parquet file, or a folder or glob of such for a model of a table.
        output: A `.csv` or `.parquet` file, as `predictions.save` writes it; it appears
            whole or not at all.
        report: Is told how many rows are done after each part.
        address: Of a Ray cluster whose processes predict, one part each; `"local"` is
            all processors of this machine. They have to see the model, and the files
            that the table names, under the same paths.

    Returns:
        Notes on what is absent, left over or cannot be read.

    Raises:
        ImportError: If there is an address and Ray is not installed.
        ValueError: If there is no such model, or the file does not fit it.
    """
    model, output = Path(model).absolute(), Path(output)
    folder = output.with_name(f".{output.name}.parts")
    engine = OnRay(_answered, address=address) if address else Here(_answered)
    this = model, secrets.token_hex(4)
    size = _rows_at_once(_loaded(*this)[0].shapes)
    with alone_in(folder):
        _begin(folder, _identity(model, file, size))
        run = _Run(engine, folder, this, report)
        try:
            with engine:
                notes = run.through(_parts(model, file, size))
        finally:
            _loaded.cache_clear()
        if not run.done:
            raise InputError(f"{file} has no rows.")
        _join(sorted(folder.glob("*.parquet")), output)
    shutil.rmtree(folder)
    return _said(notes)


class _Run:
    """Gives parts to an engine, and writes what comes of them."""

    def __init__(self, engine, folder, model, report):
        self.engine, self.folder, self.model = engine, folder, model
        self.report, self.done = report, 0
        self.running, self.notes = {}, {}

    def through(self, parts):
        """Predicts what is not done; the notes, and the rows where they begin."""
        first = 0
        for number, part in enumerate(parts):
            path = self.folder / f"{number:06}.parquet"
            if path.is_file():
                self._count(part.count)
            else:
                if len(self.running) >= self.engine.size:
                    self._end_one()
                self.running[path.name] = part.count, first
                self.engine.start(path.name, *self.model, part, first)
            first += part.count
        while self.running:
            self._end_one()
        return self.notes

    def _end_one(self):
        name, outcome = self.engine.wait()
        count, first = self.running.pop(name)
        if isinstance(outcome, RuntimeError):
            rows = f"{first:,} to {first + count - 1:,}"
            raise InputError(f"The rows {rows} could not be predicted: {outcome}.")
        table, notes = outcome
        _write_part(self.folder / name, table)
        for note in notes:
            self.notes[note] = min(first, self.notes.get(note, first))
        self._count(count)

    def _count(self, rows):
        self.done += rows
        self.report(self.done)


def _answered(model, call, part, first):
    """What a model says of a part, and notes: the work of one process."""
    predict, names = _loaded(model, call)
    rows = part.rows()
    outputs = predict(rows.inputs)
    modalities = list(predict.shapes)
    found = predictions.columns_of(outputs, names, modalities, rows.ids, first=first)
    notes = *rows.notes, *weights_notes(model, outputs)
    return predictions.as_arrow(found), notes


@functools.lru_cache(maxsize=1)
def _loaded(model, call):
    """A model, and the names of its classes, once for each call of `write`."""
    return prediction.Predictor(model), prediction.class_names(model)


def _parts(model, file, size) -> Iterator[Part]:
    preprocessor, schema = table_columns.of(model), prediction.schema_of(model)
    if preprocessor is None:
        for rows in row_parts(file, schema, size):
            yield Part(len(next(iter(rows.inputs.values()))), lambda rows=rows: rows)
        return
    folder, ids, first = folder_of(file).absolute(), None, 0
    for number, columns in enumerate(column_parts(file, size)):
        if not number:  # the first part decides what names the rows of all
            ids = table_columns.ids_of(columns, preprocessor)
        count = len(next(iter(columns.values())))
        arguments = preprocessor, columns, folder, schema, ids, first
        yield Part(count, functools.partial(table_columns.rows_of, *arguments))
        first += count


def _rows_at_once(shapes):
    rows = {
        name: np.broadcast_to(0, (1, *(n or 1 for n in shape)))
        for name, shape in shapes.items()
    }
    return min(_MOST, _BATCHES * prediction_batch(rows))


def _identity(model, file, size):
    """What the parts of a folder must have in common."""
    path = Path(model)
    ours = path if path.suffix == ".keras" else newest(path) / "manifest.json"
    stats = [(str(p.resolve()), p.stat()) for p in files_of(file)]
    return {
        "model": hashlib.sha256(ours.read_bytes()).hexdigest(),
        "files": [[name, s.st_size, s.st_mtime_ns] for name, s in stats],
        "rows": size,
    }


def _begin(folder, identity):
    record = folder / _RECORD
    if not record.is_file() or read_json(record) != identity:
        for left in folder.glob("*.parquet"):
            left.unlink()
        write_json(record, identity)


def _write_part(path, table):
    from pyarrow import parquet

    with whole(path) as beside:
        parquet.write_table(table, beside)


def _join(paths, output):
    """One file of all parts, of which one at a time is in memory."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    # A column may hold nothing in one part and numbers in the next.
    schemas = [parquet.read_schema(path) for path in paths]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    writer = csv.CSVWriter if output.suffix == ".csv" else parquet.ParquetWriter
    with whole(output) as beside, writer(beside, schema) as file:
        for path in paths:
            file.write_table(parquet.read_table(path).cast(schema))


def _said(notes):
    """Each note once, with the rows that it begins at where it is not for all."""
    in_order = sorted(notes.items(), key=lambda note: note[1])
    said = [f"from row {row:,} on: {n}" if row else n for n, row in in_order]
    rest = len(said) - _NOTES
    more = (f"and {rest} more notes on later rows",) if rest > 0 else ()
    return (*said[:_NOTES], *more)
