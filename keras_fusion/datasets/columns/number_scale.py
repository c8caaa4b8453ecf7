"""Which numbers of a table take their rank in place of their size."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from keras_fusion.datasets.columns import number
from keras_fusion.datasets.columns.preprocessor import Column, Preprocessor
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.linear_probe import explained
from keras_fusion.datasets.scale_choice import AUTO, as_numbers, by_modality, note, some

NUMBER, RANKS = "number", "quantiles"
KINDS = {"feature": "standard", "quantile": RANKS}  # columns have units of their own


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
        if free and kind not in (AUTO, *KINDS):
            raise DataError(
                f"scale of {name!r} must be one of {', '.join((AUTO, *KINDS))} in a "
                f"table, whose columns have units of their own; received {kind!r}"
            )
        if free and kind == AUTO:
            targets = [as_numbers(labels[rows], classes) for rows in parts]
            worth = partial(_worth, free, columns, parts, targets)
            kind = chose[name] = max(KINDS, key=worth)
        if free and kind == "quantile":
            ranked = {c.name: _fitted(c, columns, learn, RANKS) for c in free}
            found[name] = tuple(ranked.get(column.name, column) for column in own)
    return replace(preprocessor, modalities=preprocessor.modalities | found), note(
        chose
    )


def _free(columns, said) -> list[Column]:
    """The columns of numbers of which nobody says a scale."""
    given = said.get("columns")
    told = given if isinstance(given, dict) else {said.get(NUMBER): said}

    def is_free(column):
        own = told.get(column.name)
        return not (isinstance(own, dict) and "scale" in own)

    return [c for c in columns if c.kind == NUMBER and is_free(c)]


def _worth(free, columns, parts, targets, kind):
    fitted = [_fitted(column, columns, parts[0], KINDS[kind]) for column in free]
    seen, unseen = (
        np.hstack([c.encode(columns[c.name][rows])[0] for c in fitted]).astype(float)
        for rows in parts
    )
    return explained(seen, targets[0], unseen, targets[1])


def _fitted(column, columns, rows, scale):
    return replace(column, state=number.fit(columns[column.name][rows], scale=scale))
