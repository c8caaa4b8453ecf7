"""A person's own table -> a data set that is ready to train on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_fusion.common.names import MASK
from keras_fusion.datasets import multilabel, times
from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.asked import OF_TIMES, asked
from keras_fusion.datasets.columns import number_scale, raw
from keras_fusion.datasets.columns.preprocessor import Preprocessor
from keras_fusion.datasets.columns.read_rows import take
from keras_fusion.datasets.columns.reading import folder_of, read_columns
from keras_fusion.datasets.columns.values import as_names, missing
from keras_fusion.datasets.dataset import Dataset, Raw, Split
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.labels import note_task
from keras_fusion.datasets.preparation import (
    SAMPLES,
    choose_rows,
    note_missing_classes,
    target_moments,
)
from keras_fusion.datasets.scale_choice import AUTO
from keras_fusion.datasets.split_rules import rule

IS_TRAIN = "is_train"
_TRUE = ("true", "1", "yes")


def table(
    path: str | Path | Mapping,
    *,
    label: str | Sequence[str] = "y",
    order: Sequence = (),
    time: str | None = None,
    event: str | None = None,
    modalities: dict | None = None,
    ignore: Sequence[str] = (),
    groups: str | None = None,
    split: str = "stratified",
    group_by: str | None = None,
    task: str | None = None,
    seed: int = 0,
    labels_per_class: int | None = None,
    train_on_validation: bool = False,
    scale: str | Mapping[str, str] = AUTO,
    stream: bool = False,
    name: str | None = None,
    preprocessor: Preprocessor | None = None,
    tokenizers: Mapping[str, str] | None = None,
) -> Dataset:
    """The data set of a table: columns of every kind, with gaps.

    What prepares the columns is learned from the rows that train; it is the
    `preprocessor` of the data set, whose `describe` says what it understood.

    Args:
        path: A `.csv`, `.tsv` or `.parquet` file, a folder or a glob of such, or the
            columns themselves, by name `(N,)` values of any type. Paths in a file are
            relative to its folder, and do not lead out of it, of this folder and of
            that of the data (`KERAS_FUSION_DATA`); those in columns may lead anywhere.
        label: Column to learn, or several of true and false, which are several labels
            at once, as are texts with `|` between names. Rows that have none are left
            out.
        order, time, event: As for `load`; `label` says nothing where there is a time.
        modalities: What the modalities are made of; see `Preprocessor.fit`.
        ignore: Columns that are left out.
        groups, split, task, seed, labels_per_class, train_on_validation: As for `load`.
            A column that decides the split is an input only where `modalities` says so.
            A column `is_train` of true and false says which rows do not test.
        group_by: How columns make modalities where nobody says so; see
            `Preprocessor.fit`.
        scale: How the columns of numbers are scaled, in all modalities or by modality,
            where `"*"` is for the others: `"feature"`, `"quantile"` (by their ranks,
            for long tails), or `"auto"`, whichever a linear model is better with on the
            validation rows, as a note says.
        stream: Whether pictures, sounds and arrays stay in their files, and are read
            batch by batch as a model trains; together they may be larger than the
            memory. The cells of the table itself are in memory.
        name: Of the data set, for messages; None is made from the path.
        preprocessor: What prepares the columns, learned before; then `modalities`,
            `group_by`, `scale` and `tokenizers` say nothing. None learns it from the
            training rows.
        tokenizers: `"keras_hub:PRESET"` by modality, for texts that are encoded by a
            network of KerasHub; see `Preprocessor.fit`.

    Raises:
        DataError: If the table cannot be read, or does not hold such data.

    Example:
        >>> columns = {"age": [30, 41, 52, None] * 9, "ill": ["no", "no", "yes"] * 12}
        >>> data = table(columns, label="ill")
        >>> data.input_shapes, data.class_names
        ({'table': (2,)}, ('no', 'yes'))
    """
    own = isinstance(path, Mapping)
    name = name or ("the table" if own else f"table:{path}")
    columns = {n: _values(x) for n, x in path.items()} if own else read_columns(path)
    folder = None if own else folder_of(path)
    reserved = [x for x in (groups, rule(split).column) if x]
    try:
        said = asked(task, label, order, time, event)
        task, label = said.task, said.label
        data, numbers = _raw(columns, said, ignore, reserved)
        rows, labels, class_names = choose_rows(
            data, seed, labels_per_class, train_on_validation, task, groups, split
        )
        chose = []
        if preprocessor is None:
            preprocessor = Preprocessor.fit(
                {column: values[rows.train] for column, values in data.inputs.items()},
                modalities,
                ignore=(*ignore, *reserved),
                group_by=group_by,
                folder=folder,
                tokenizers=tokenizers,
            )
            preprocessor, chose = number_scale.scaled(
                preprocessor,
                scale,
                modalities,
                data.inputs,
                labels,
                len(class_names),
                rows.train,
                rows.validation,
            )
        seen = times.of_training(labels[rows.train]) if task in OF_TIMES else ()
        taken = [] if task else note_task(data.labels, class_names)
        lost = note_missing_classes(rows, labels, class_names)
        notes = [*data.notes, *taken, *lost, *chose]
        encoded = preprocessor.encode(data.inputs, folder, notes, stream, numbers)
    except ValueError as error:
        raise DataError(f"{name}: {str(error).rstrip('.')}.") from error
    prepared = _prepared(name, encoded, rows, labels, class_names, preprocessor)
    numbers_to_predict = not class_names and task not in OF_TIMES
    some = rows.validation[:SAMPLES]
    return replace(
        prepared,
        notes=tuple(notes),
        label=label if isinstance(label, str) else tuple(label),
        named_task=said.named,
        times=seen,
        target=target_moments(labels[rows.train]) if numbers_to_predict else None,
        left_out=tuple(preprocessor.left_out),
        samples={m: x[some] for m, x in encoded[0].items()} | {MASK: encoded[1][some]},
        raw_samples=raw.values(
            preprocessor, {c: x[some] for c, x in data.inputs.items()}, folder
        ),
    )


def _raw(columns, said, ignore, reserved) -> tuple[Raw, np.ndarray]:
    """The rows that have a label, what is no input apart, and the rows' numbers."""
    one = isinstance(said.label, str)
    names = [said.label] if one else [*said.label]
    for column in (*names, *ignore, *reserved):
        if column not in columns:
            raise DataError(f"no column {column!r}; there is {listed(columns)}")
    labeled, notes = _labeled({name: columns[name] for name in names})
    if notes:
        columns = {name: values[labeled] for name, values in columns.items()}
    found = {name: columns.pop(name) for name in names}
    if said.task in OF_TIMES:
        labels = times.joined(found)
    else:
        labels = found[said.label] if one else multilabel.joined(found)
    is_train = columns.pop(IS_TRAIN, None)
    if is_train is not None:
        is_train = np.array([text.lower() in _TRUE for text in as_names(is_train)])
    # They stay, since a recipe may name them as inputs, too.
    kept = {column: columns[column] for column in reserved}
    raw_rows = Raw(
        columns,
        labels,
        is_train,
        class_names=said.order if one else tuple(names),
        reserved=kept,
        notes=tuple(notes),
    )
    return raw_rows, labeled


def _prepared(name, encoded, rows, labels, class_names, preprocessor) -> Dataset:
    inputs, present = encoded
    parts = [
        Split({m: take(x, i) for m, x in inputs.items()}, labels[i], present[i])
        for i in rows
    ]
    return Dataset(
        name,
        *parts,
        class_names,
        statistics={},
        columns={
            modality: tuple(column.name for column in columns)
            for modality, columns in preprocessor.modalities.items()
        },
        preprocessor=preprocessor,
    )


def _labeled(labels):
    """Numbers of the rows that have all labels, and a note on the others."""
    rows, notes = np.arange(len(next(iter(labels.values())))), []
    for name, values in labels.items():
        without = missing(values[rows])
        if not without.any():
            continue
        if without.all():
            raise DataError(f"the label {name!r} is missing in every row")
        rows = rows[~without]
        words = "1 row" if without.sum() == 1 else f"{without.sum():,} rows"
        verb = "is" if without.sum() == 1 else "are"
        notes.append(f"{words} without a label {name!r} {verb} left out")
    return rows, notes


def _values(x):
    if isinstance(x, np.ndarray):
        return x
    values = np.empty(len(x), object)
    values[:] = list(x)
    return values
