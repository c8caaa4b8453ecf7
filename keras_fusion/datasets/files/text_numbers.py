"""A column of text -> numbers, or a sentence about the first value that is none."""

import re

import numpy as np

from keras_fusion.datasets.files.table import NotNumbers

# What spreadsheets, R and pandas write where a number is missing, besides nothing.
MISSING = (
    *("NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "na", "nan", "NaN", "NAN"),
    *("-nan", "-NaN", "null", "NULL", "None"),
)
_TRUTH = {"true": 1, "True": 1, "TRUE": 1, "false": 0, "False": 0, "FALSE": 0}
_COMMAS = re.compile(r"[+-]?\d[\d.]*(,\d+)+(\.\d+)?")


def parse(name: str, column) -> np.ndarray:
    """`(N,)` int64 where all values are whole numbers, else float64 with NaN.

    Args:
        name: Of the column.
        column: A pyarrow array of text, null where a cell is empty.

    Raises:
        NotNumbers: If a value is no number; `true` and `false` are 1 and 0.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column)
    absent = pc.is_in(text, value_set=pa.array(MISSING))
    text = pc.if_else(absent, pa.scalar(None, text.type), text)
    for kind in ("int64", "float64"):
        if kind == "int64" and text.null_count:
            continue
        try:
            return text.cast(kind).to_numpy()
        except pa.ArrowInvalid:
            pass
    return np.array([_number(name, row, x) for row, x in enumerate(text.to_pylist())])


def _number(name, row, text):
    if text is None:
        return np.nan
    if text in _TRUTH:
        return _TRUTH[text]
    try:
        if "_" in text:  # Python takes it for a number, no file does
            raise ValueError(text)
        return float(text)
    except ValueError:
        hint = (
            " (write 1200.5, not 1,200.5 or 1200,5)" if _COMMAS.fullmatch(text) else ""
        )
        raise NotNumbers(
            f"{name!r} holds {_short(text)!r} in row {row}{hint}"
        ) from None


def _short(text):
    return text if len(text) <= 30 else text[:27] + "..."
