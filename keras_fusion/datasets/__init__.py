"""Data sets of several modalities as numpy arrays: built in, and one's own files."""

import difflib
from collections.abc import Sequence
from functools import partial

from keras_fusion.datasets.arrays import modality_mask
from keras_fusion.datasets.asked import asked
from keras_fusion.datasets.builtin import (
    av_digits,
    clothing_reviews,
    leaves100,
    mfeat,
    planetoid,
    tools_rgbd,
    utd_mhad,
)
from keras_fusion.datasets.columns import Preprocessor
from keras_fusion.datasets.dataset import Dataset, Split
from keras_fusion.datasets.depth import normalize as normalize_depth
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.files import read, read_labeled, read_rows
from keras_fusion.datasets.images import read_images
from keras_fusion.datasets.preparation import prepare
from keras_fusion.datasets.scale_choice import AUTO
from keras_fusion.datasets.schema import Schema
from keras_fusion.datasets.split_rules import rule
from keras_fusion.datasets.standardization import standardize
from keras_fusion.datasets.tables import table

__all__ = [
    "DataError",
    "Dataset",
    "Preprocessor",
    "Schema",
    "Split",
    "load",
    "modality_mask",
    "names",
    "normalize_depth",
    "own",
    "read",
    "read_rows",
    "standardize",
    "table",
]

# A bare name is the first of its configs, which may be named too.
_FIRST = {
    "av_digits/clean": "av_digits",
    "tools_rgbd/foreground": "tools_rgbd",
    "utd_mhad/sequences": "utd_mhad",
}
_KNOWN = {
    "mfeat": mfeat.read,
    "leaves100": leaves100.read,
    "av_digits": partial(av_digits.read, "clean"),
    "av_digits/hard": partial(av_digits.read, "hard"),
    "tools_rgbd": partial(tools_rgbd.read, "foreground"),
    "tools_rgbd/rig_0": partial(tools_rgbd.read, "rig_0"),
    "tools_rgbd/tools": partial(tools_rgbd.read, "tools"),
    "utd_mhad": partial(utd_mhad.read, "sequences"),
    "utd_mhad/video": partial(utd_mhad.read, "video"),
}
# Tables with columns of every kind; each says its label, group, and what is no input.
_KNOWN_TABLES = {"clothing_reviews": clothing_reviews}
_COLUMNS = "table"
_TABLES = ("npz", "csv", "parquet")


def names() -> tuple[str, ...]:
    """The names of the data sets that are known; `mfeat` is built in."""
    return (*_KNOWN, *_KNOWN_TABLES)


def own() -> tuple[str, ...]:
    """The ways to name one's own data, `KIND:PATH`."""
    return (*(f"{kind}:FILE" for kind in (_COLUMNS, *_TABLES)), "folder:PATH")


def load(
    name: str,
    *,
    seed: int = 0,
    labels_per_class: int | None = None,
    train_on_validation: bool = False,
    label: str | Sequence[str] = "y",
    order: Sequence = (),
    time: str | None = None,
    event: str | None = None,
    scale: str | dict[str, str] = AUTO,
    ignore: Sequence[str] = (),
    task: str | None = None,
    groups: str | None = None,
    split: str = "stratified",
    modalities: dict | None = None,
    group_by: str | None = None,
    stream: bool = False,
    preprocessor: Preprocessor | None = None,
    tokenizers: dict[str, str] | None = None,
) -> Dataset:
    """A data set, split and standardized.

    Args:
        name: One of `names()`, or one's own file: `table:FILE` (columns of every kind,
            with gaps; see `table`), `npz:FILE` (every array but the label
            is a modality, rows first), `csv:FILE` or `parquet:FILE` (columns are
            grouped into modalities by what stands before their first `_`; a column of
            lists is a modality), or one's own
            images `folder:PATH` (its folders `rgb/`, `depth/` and `mask/`). Labels
            `(N, H, W)` are masks. All but `mfeat` are read from where
            `archives.folder` says.
        seed: Moves which rows validate, and which labels are kept. A fixed test part
            (an `is_train` array or column) stays as it is; without one, 20 % of the
            rows are drawn to test. 20 % validate in either case, both stratified
            (by class, or by rig); of `utd_mhad` one of four persons.
        labels_per_class: Train on so many rows of every class only. Validation and
            test stay as they are.
        train_on_validation: Train on the rows that validate, too: for the last run,
            when all is chosen. Scores on them mean nothing then.
        label: Array or column that holds the labels of one's own file. Classes are
            named as they stand there; rows without a label are left out.
        order: The classes of `task="ordinal"` from the least to the most; without it
            they are whole numbers. It may name classes that no row has.
        time, event: Of `table:FILE`, for `task="risk"` (which it is then, where nobody
            says it) or `"survival"`: the columns of numbers from 0, and of true where
            the event happened then, false where the observation ended there.
        scale: How modalities are scaled by the training rows, one for all or by name,
            where `"*"` is for the others: `"feature"` (each feature by itself),
            `"modality"` (one deviation for all features), `"quantile"` (each feature by
            its rank, for long tails), `"auto"` (that of the three with which a linear
            model of the modality is best on validation rows, as a note says) or
            `"none"`, for codes that an embedding looks up; whole numbers keep their
            dtype then.
        ignore: Columns or arrays of one's own file to leave out.
        task: `"classification"`, `"regression"` or `"multilabel"`, several labels at
            once. None decides by the labels, and a note says how. `"ordinal"` are
            classes in an order; `"risk"` and `"survival"` are times until an event, by
            Cox' model and by intervals of time.
        groups: Column or array of one's own file, such as the patient of each row: no
            group has rows in two parts.
        split: `"stratified"` draws each class (or, with `groups`, whole groups) in
            proportion, `"random"` draws rows whatever their class, `"column:NAME"`
            takes train, validation and test from a column, `"time:NAME"` tests on the
            latest fifth and validates on the one before, and `"fold:K/N"` tests on
            fold K of N and validates on the next. With `is_train` a fold validates.
            `"validation:K/N"` tests as `"stratified"` does, and fold K of the N of all
            other rows validates.
        modalities, group_by, stream, preprocessor, tokenizers: Of `table:FILE`; see
            `table`.

    Raises:
        DataError: If the name is unknown or the file does not hold such data.

    Example:
        >>> data = load("mfeat", labels_per_class=10)
        >>> data.input_shapes["fou"], data.classes, len(data.train.labels)
        ((76,), 10, 100)
    """
    name = _FIRST.get(name, name)
    try:
        said = asked(task, label, order, time, event)
    except DataError as error:
        raise DataError(f"{name}: {error}.") from error
    kind, colon, path = name.partition(":")
    if name in planetoid.ARCHIVES:
        raise DataError(
            f"{name} is a graph, not rows that can be split: read it with "
            f"keras_fusion.datasets.builtin.planetoid.load_graph({name!r})."
        )
    reserved = _reserved(name, groups, split)
    if time is not None and kind != _COLUMNS:
        raise DataError(f"{name}: time and event are for table:FILE.")
    if not isinstance(label, str) and kind != _COLUMNS:
        raise DataError(f"{name}: several columns of labels are for table:FILE.")
    known = _KNOWN_TABLES.get(name)
    if known is not None or colon and kind == _COLUMNS:
        return table(
            known.columns() if known else path,
            label=known.LABEL if known else label,
            order=order,
            time=time,
            event=event,
            modalities=modalities,
            ignore=(*ignore, known.ANSWER) if known else ignore,
            groups=(groups or known.GROUP) if known else groups,
            split=split,
            group_by=group_by,
            task=task,
            seed=seed,
            labels_per_class=labels_per_class,
            train_on_validation=train_on_validation,
            scale=scale,
            stream=stream,
            name=name if known else None,
            preprocessor=preprocessor,
            tokenizers=tokenizers,
        )
    if modalities or group_by or stream:
        raise DataError(f"{name}: modalities, group_by, stream are for table:FILE.")
    if (ignore or reserved) and kind not in _TABLES:
        raise DataError(
            f"{name}: ignore, groups and splits by a column are for one's own files."
        )
    if name in _KNOWN:
        task = said.task or "classification"
        raw = _KNOWN[name]()
    elif colon and kind in _TABLES:
        raw = read_labeled(path, kind, label, ignore, reserved)
    elif colon and kind == "folder":
        raw = read_images(path)
    else:
        raise DataError(_unknown(name))
    return prepare(
        name,
        raw,
        seed,
        labels_per_class,
        train_on_validation,
        label=label,
        scale=scale,
        task=task or said.task,
        order=said.order,
        groups=groups,
        split=split,
    )


def _reserved(name, groups, split):
    """The columns that say how to split, and are no input."""
    try:
        named = (groups, rule(split).column)
    except DataError as error:
        raise DataError(f"{name}: {error}.") from error
    return tuple(dict.fromkeys(column for column in named if column is not None))


def _unknown(name):
    closest = difflib.get_close_matches(name, names(), n=1)
    hint = f"; the closest is {closest[0]!r}" if closest else ""
    known = ", ".join([*names(), *own()])
    return f"Unknown data set {name!r}: expected {known}{hint}."
