"""Which numbers of a table take their rank in place of their size."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from keras_fusion.datasets.columns import number
from keras_fusion.datasets.columns.preprocessor import Column, Preprocessor
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.linear_probe import explained
from keras_fusion.datasets.scale_choice import AUTO, as_numbers, by_modality, note, some

NUMBER = "number"
KINDS = (AUTO, "feature", "quantile")  # one deviation for all would mix their units


def scaled(
    preprocessor: Preprocessor,
    scale: str | Mapping[str, str],
    modalities: Mapping | None,
    columns: Mapping[str, np.ndarray],
    labels: np.ndarray,
    classes: int,
    learn: np.ndarray,
    validation: np.ndarray,
) -> tuple[Preprocessor, list[str]]:
    """The same with the columns of numbers scaled as asked, and a note on a choice.

    `"auto"` chooses for the numbers of each modality `"feature"` or `"quantile"`: that
    from which a ridge regression, fitted to training rows, explains more of the
    validation rows. A column of which `modalities` says a scale keeps it.

    Args:
        preprocessor: Fitted to the rows `learn`.
        scale: One for all modalities, or one by modality; see `by_modality`.
        modalities: As a recipe says them, or None.
        columns: `(N,)` values by name.
        labels, classes: As `as_numbers` takes them.
        learn, validation: Numbers of the rows that train, and that validate. Those in
            both choose nothing by themselves.

    Raises:
        DataError: If the scale of numbers is neither of the two, nor `"auto"`.
    """
    parts = [some(np.setdiff1d(learn, validation)), some(validation)]
    said, found, chose = modalities or {}, {}, {}
    for name, kind in by_modality(scale, preprocessor.modalities).items():
        own = preprocessor.modalities[name]
        free = _free(own, said.get(name, {}))
        if free and kind not in KINDS:
            raise DataError(
                f"scale of {name!r} must be one of {', '.join(KINDS)} in a "
                f"table, whose columns have units of their own; received {kind!r}"
            )
        if free and kind == AUTO:
            targets = [as_numbers(labels[rows], classes) for rows in parts]
            tried = {"feature": free, "quantile": _ranked(free, columns, learn)}
            worth = {k: _worth(x, columns, parts, targets) for k, x in tried.items()}
            kind = chose[name] = max(worth, key=worth.get)
        if free and kind == "quantile":
            ranks = {c.name: c for c in _ranked(free, columns, learn)}
            found[name] = tuple(ranks.get(column.name, column) for column in own)
    scaled_too = preprocessor.modalities | found
    return replace(preprocessor, modalities=scaled_too), note(chose)


def _free(columns, said) -> list[Column]:
    """The columns of numbers of which nobody says a scale."""
    given = said.get("columns")
    told = given if isinstance(given, dict) else {said.get(NUMBER): said}

    def is_free(column):
        own = told.get(column.name)
        return not (isinstance(own, dict) and "scale" in own)

    return [c for c in columns if c.kind == NUMBER and is_free(c)]


def _ranked(numbers, columns, rows):
    """The same columns of numbers, by their ranks among these rows."""
    return [
        replace(c, state=number.fit(columns[c.name][rows], scale="quantiles"))
        for c in numbers
    ]


def _worth(numbers, columns, parts, targets):
    seen, unseen = (
        np.hstack([c.encode(columns[c.name][rows])[0] for c in numbers]).astype(float)
        for rows in parts
    )
    return explained(seen, targets[0], unseen, targets[1])
