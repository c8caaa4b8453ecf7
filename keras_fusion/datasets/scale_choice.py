"""Which scale a modality gets where nobody says it: what a linear model likes best."""

import difflib
from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.linear_probe import explained
from keras_fusion.datasets.scaling import SCALES, fit

AUTO, REST = "auto", "*"
CANDIDATES = ("modality", "feature", "quantile")
ROWS = 1000  # of a part that the probe sees
MOST = 4096  # numbers in a row: beyond, and for maps, a linear model says little


def by_modality(scale: str | Mapping, modalities: Iterable[str]) -> dict[str, str]:
    """The scale of each modality as a person said it.

    Args:
        scale: One for all, or one by modality, where `"*"` is for the others; else
            theirs is `"auto"`.
        modalities: Their names.

    Raises:
        DataError: If it names a modality or a scale that is not there.
    """
    said = dict(scale) if isinstance(scale, Mapping) else {REST: scale}
    for name, kind in said.items():
        if name not in (*modalities, REST):
            close = difflib.get_close_matches(name, modalities, n=1)
            hint = f"; the closest is {close[0]!r}" if close else ""
            raise DataError(
                f"scale names the modality {name!r}, which is not there: expected "
                f"some of {listed(modalities)}{hint}"
            )
        if kind not in (*SCALES, AUTO):
            of = "" if name == REST else f" of {name!r}"
            raise DataError(
                f"scale{of} must be one of {', '.join((*SCALES, AUTO))}; received "
                f"{kind!r}"
            )
    rest = said.pop(REST, AUTO)
    return {name: said.get(name, rest) for name in modalities}


def chosen(
    scale: dict[str, str],
    inputs: Mapping[str, np.ndarray],
    present: np.ndarray,
    labels: np.ndarray,
    classes: int,
    train: np.ndarray,
    validation: np.ndarray,
) -> tuple[dict[str, str], list[str]]:
    """The same with a scale in place of every `"auto"`, and a note on the choice.

    Each of `CANDIDATES` is learned from the training rows. The one is chosen from which
    a ridge regression of the modality alone, fitted to these rows, explains most of the
    validation rows. Maps and volumes, rows of more than 4,096 numbers, and what is
    present in too few rows are scaled by feature.

    Args:
        scale: From `by_modality`.
        inputs: `(N, ...)` raw values by modality, NaN where a number is missing.
        present: `(N, M)` bool.
        labels: `(N,)` numbers of classes, or `(N,)` or `(N, K)` numbers to predict.
            For masks `(N, H, W)` all is scaled by feature.
        classes: How many there are; 0 for numbers to predict.
        train, validation: Numbers of rows, of which none is in both.
    """
    found = {}
    for m, (name, values) in enumerate(inputs.items()):
        if scale[name] != AUTO:
            continue
        parts = [some(rows[present[rows, m]]) for rows in (train, validation)]
        if _suits(values, labels) and min(map(len, parts)) > 1:
            targets = [as_numbers(labels[rows], classes) for rows in parts]
            worth = partial(_worth, values, parts, targets)
            found[name] = max(CANDIDATES, key=worth)
    rest = {name: "feature" for name, kind in scale.items() if kind == AUTO}
    return scale | rest | found, note(found)


def note(found: Mapping[str, str]) -> list[str]:
    """A sentence on the scale that was chosen for each modality, or none."""
    words = ", ".join(f"{name} by {kind}" for name, kind in found.items())
    return (
        [f"a linear model on validation rows chose to scale {words}"] if found else []
    )


def as_numbers(labels: np.ndarray, classes: int) -> np.ndarray:
    """`(N, K)` float64: of numbers of classes zeros and ones, else the labels."""
    if classes and labels.ndim == 1:
        return (labels[:, None] == np.arange(classes)).astype(np.float64)
    return labels.reshape(len(labels), -1).astype(np.float64)


def _worth(values, parts, targets, kind):
    scale = fit(values, parts[0], kind)
    seen, unseen = (
        np.nan_to_num(scale(values[rows]), copy=False, posinf=0, neginf=0)
        for rows in parts
    )
    seen, unseen = (x.reshape(len(x), -1) for x in (seen, unseen))
    return explained(seen, targets[0], unseen, targets[1])


def some(rows):
    """At most `ROWS` of these rows, from all over them."""
    return rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows)), dtype=int)]


def _suits(values, labels):
    vectors = values.ndim < 4 and np.prod(values.shape[1:]) <= MOST
    return vectors and labels.ndim < 3
