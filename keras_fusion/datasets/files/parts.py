"""csv and parquet a part at a time, so that a file may be larger than the memory."""

from collections.abc import Iterator
from pathlib import Path

from keras_fusion.common.errors import first_line
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files import arrow
from keras_fusion.datasets.files.table import Table

_BLOCK = 2**22  # bytes of a csv that are parsed at once


def parts(path: str | Path, rows: int) -> Iterator[Table]:
    """The rows of a file in their order, at most so many at once.

    Args:
        path: A parquet file, or a csv file of any other ending.
        rows: How many; the same file is always cut at the same rows.

    Raises:
        DataError: As `open_csv` and `open_parquet` raise it, as soon as it is met.
    """
    path = Path(path)
    name = "parquet" if path.suffix.lower() == ".parquet" else "csv"
    read = {"parquet": _of_parquet, "csv": _of_csv}[name]
    try:
        yield from read(path, rows)
    except arrow.broken() as error:
        if isinstance(error, DataError):
            raise
        reason = first_line(error)
        raise DataError(f"{path}: cannot be read as {name} ({reason}).") from error


def _of_parquet(path, rows):
    import pyarrow as pa

    parquet = arrow.pyarrow("parquet")
    file = parquet.ParquetFile(path)  # which reads a row group as it is needed
    arrow.require_unique(path, file.schema_arrow.names)
    index = arrow.index_of(file.schema_arrow)
    for batch in file.iter_batches(batch_size=rows):
        batch.validate(full=True)
        yield arrow.table(pa.Table.from_batches([batch]), index, text_is_numbers=False)


def _of_csv(path, rows):
    import pyarrow as pa

    names, options = arrow.csv_options(path)
    read = arrow.pyarrow("csv").ReadOptions(block_size=_BLOCK)
    index = names[0] if names and names[0] in arrow.UNNAMED else None
    with arrow.pyarrow("csv").open_csv(path, read_options=read, **options) as stream:
        for batch in stream:
            for start in range(0, len(batch), rows):
                found = pa.Table.from_batches([batch.slice(start, rows)])
                yield arrow.table(found, index, text_is_numbers=True)
