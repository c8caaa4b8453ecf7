"""What a column is, where nobody says so, and which columns say nothing."""

import re
from collections.abc import Mapping

import numpy as np

from keras_fusion.datasets.columns.kinds import KINDS
from keras_fusion.datasets.columns.values import as_numbers, as_text, given, missing

COUNTS, DIFFERENT = "it counts the rows", "every value is different"
IGNORED, UNUSED = "it is no input", "no modality has it"
NAMES_ROWS = (COUNTS, DIFFERENT, IGNORED, UNUSED)  # why a column that may is left out
_INDEX = re.compile(r"|index|unnamed: ?\d+|__index_level_\d+__", re.IGNORECASE)
_ENOUGH = 5_000  # values to see what a column is
_KEY = re.compile(r"(.*[\W_])?(id|uuid|guid|key)", re.IGNORECASE)


def kind_of(values) -> str | None:
    """The name of the first kind that the values look like, None where none does."""
    values = values[~missing(values)]
    values = values[:: max(1, len(values) // _ENOUGH)]
    return next((name for name, kind in KINDS.items() if kind.infer(values)), None)


def useless(name: str, values) -> str | None:
    """Why a column cannot help a model, in words; None where it may.

    Args:
        name: Of the column.
        values: `(N,)` of the training rows.
    """
    there = ~missing(values)
    if not there.any():
        return "it is empty"
    texts = given(as_text(values[there]))
    if len(set(texts)) == 1 and there.all():
        return f"every value is {texts[0][:40]!r}"
    numbers = as_numbers(values[there])
    counts = np.isfinite(numbers).all() and _counts_rows(numbers)
    if counts and (_INDEX.fullmatch(name) or _in_order(numbers)):
        return COUNTS
    if len(set(texts)) == len(texts) > 1 and (counts or _KEY.fullmatch(name)):
        return DIFFERENT
    return None


def _counts_rows(numbers):
    """Whether they are whole, all different, and leave few numbers out."""
    different = np.unique(numbers)
    whole = not (numbers % 1).any() and len(different) == len(numbers) > 10
    return whole and np.ptp(numbers) < 3 * len(numbers)  # training rows are a part


def _in_order(numbers):
    steps = np.diff(numbers)
    return (steps > 0).all() or (steps < 0).all()


def kinds_of(table: Mapping[str, np.ndarray]) -> tuple[dict[str, str], dict[str, str]]:
    """The kind of each column that can help, and why another cannot, by their names."""
    kinds, reasons = {}, {}
    for name, values in table.items():
        kind, reason = kind_of(values), useless(name, values)
        if reason is None and kind is None:
            reason = DIFFERENT
        if reason:
            reasons[name] = reason
        else:
            kinds[name] = kind
    return kinds, reasons
