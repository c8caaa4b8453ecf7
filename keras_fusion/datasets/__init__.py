"""Data sets of several modalities as numpy arrays: built in, and one's own files."""

import difflib

from keras_fusion.datasets import mfeat
from keras_fusion.datasets.arrays import modality_mask
from keras_fusion.datasets.dataset import Dataset, Split
from keras_fusion.datasets.files import read, read_labelled
from keras_fusion.datasets.preparation import prepare
from keras_fusion.datasets.standardisation import standardise

__all__ = [
    "Dataset",
    "Split",
    "load",
    "modality_mask",
    "names",
    "read",
    "standardise",
]

_BUILT_IN = {"mfeat": mfeat.read}
_OWN = ("npz", "csv", "parquet")


def names() -> tuple[str, ...]:
    """The names of the built-in data sets."""
    return tuple(_BUILT_IN)


def load(
    name: str,
    *,
    seed: int = 0,
    labels_per_class: int | None = None,
    label: str = "y",
) -> Dataset:
    """A data set, split and standardised.

    Args:
        name: A built-in name, or one's own file: `npz:FILE` (every array but the label
            is a modality, rows first), `csv:FILE` or `parquet:FILE` (columns are
            grouped into modalities by what stands before their first `_`).
        seed: Moves which rows validate, and which labels are kept. A fixed test part
            (an `is_train` array or column) stays as it is; without one, 20 % of the
            rows are drawn to test. 20 % validate in either case, both stratified.
        labels_per_class: Train on so many rows of every class only. Validation and
            test stay as they are.
        label: Array or column that holds the labels of one's own file: strings,
            booleans and whole numbers are classes, other numbers mean regression.

    Raises:
        ValueError: If the name is unknown or the file does not hold such data.

    Example:
        >>> data = load("mfeat", labels_per_class=10)
        >>> data.input_shapes["fou"], data.classes, len(data.train.labels)
        ((76,), 10, 100)
    """
    kind, colon, path = name.partition(":")
    if name in _BUILT_IN:
        raw = _BUILT_IN[name]()
    elif colon and kind in _OWN:
        raw = read_labelled(path, kind, label)
    else:
        raise ValueError(_unknown(name))
    return prepare(name, raw, seed, labels_per_class)


def _unknown(name):
    own = [f"{kind}:FILE" for kind in _OWN]
    closest = difflib.get_close_matches(name, names(), n=1)
    hint = f"; the closest is {closest[0]!r}" if closest else ""
    return f"Unknown data set {name!r}: expected {', '.join([*names(), *own])}{hint}."
