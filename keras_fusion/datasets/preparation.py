"""A raw data set -> one that is ready to train on."""

from dataclasses import replace

import numpy as np

from keras_fusion.datasets import multilabel
from keras_fusion.datasets.arrays import listed, modality_mask, require_present
from keras_fusion.datasets.asked import OF_TIMES, ORDINAL
from keras_fusion.datasets.dataset import Dataset, Raw, Split
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.labels import encode, encode_masks, note_task
from keras_fusion.datasets.scale_choice import AUTO, by_modality, chosen
from keras_fusion.datasets.split_rules import group_numbers, require_apart, rule
from keras_fusion.datasets.splitting import Rows, draw
from keras_fusion.datasets.standardization import (
    measure,
    note_imputed,
    scaled_rows,
)

SAMPLES = 16
_WITHOUT = (
    "no training row is of class {}, so no model learns it",
    "no validation row is of class {}, so it counts in no choice",
    "no test row is of class {}, so it is never judged",
)


@np.errstate(invalid="ignore")  # damage in a file makes NaN that signals
def prepare(
    name: str,
    raw: Raw,
    seed: int = 0,
    labels_per_class: int | None = None,
    train_on_validation: bool = False,
    *,
    label: str = "y",
    scale: str | dict[str, str] = AUTO,
    task: str | None = None,
    order: tuple[str, ...] = (),
    groups: str | None = None,
    split: str = "stratified",
) -> Dataset:
    """Encodes the labels, splits, and scales by the rows that train.

    Args:
        name: Of the data set, for messages.
        raw: As it was read.
        seed, labels_per_class, train_on_validation, scale, task, groups, split: As
            for `load`; the columns that are named are in `raw.reserved`.
        label: Where the labels come from.
        order: The classes of an ordinal task, least first.

    Raises:
        DataError: If labels or split are not as `load` says, a part would be empty,
            or there are fewer than `labels_per_class` rows of a class to train on.
    """
    if order:
        raw = replace(raw, class_names=order)
    present = raw.modality_mask
    if present is None:
        present = modality_mask(raw.inputs)
    require_present(present, name)
    try:
        scale = by_modality(scale, raw.inputs)
        rows, labels, class_names = choose_rows(
            raw, seed, labels_per_class, train_on_validation, task, groups, split
        )
        seen = rows.train, rows.validation
        if train_on_validation:
            seen = np.setdiff1d(*seen), rows.validation
        classes = len(class_names)
        scale, chose = chosen(scale, raw.inputs, present, labels, classes, *seen)
        statistics = measure(raw.inputs, rows.train, scale)
    except DataError as error:
        raise DataError(f"{name}: {str(error).rstrip('.')}.") from error
    said = [] if task else note_task(raw.labels, class_names)
    notes = [
        *raw.notes,
        *said,
        *note_missing_classes(rows, labels, class_names),
        *chose,
    ]
    inputs, imputed = _scaled_parts(raw.inputs, rows, present, statistics)
    regression = not class_names and labels.ndim == 1
    return Dataset(
        name,
        *(
            Split(x, _as_labels(labels[i]), present[i])
            for x, i in zip(inputs, rows, strict=True)
        ),
        class_names,
        statistics,
        (*notes, *imputed),
        columns=dict(raw.columns),
        target=target_moments(labels[rows.train]) if regression else None,
        samples={m: x[rows.validation[:SAMPLES]] for m, x in raw.inputs.items()},
        label=label,
        left_out=raw.left_out,
        named_task=ORDINAL if task == ORDINAL else None,
    )


def choose_rows(
    raw: Raw,
    seed: int,
    labels_per_class: int | None,
    train_on_validation: bool,
    task: str | None = None,
    groups: str | None = None,
    split: str = "stratified",
) -> tuple[Rows, np.ndarray, tuple[str, ...]]:
    """Which rows train, validate and test; the labels of all, and the class names."""
    count = len(next(iter(raw.inputs.values())))
    labels, class_names = _labels(raw, count, task)
    strata = _strata(labels, class_names)
    rng = np.random.default_rng(seed)
    fixed = _fixed(raw.is_train, count)
    together = raw.groups
    if groups is not None:
        together = group_numbers(groups, raw.reserved[groups])
    rows = rule(split).rows(strata, fixed, rng, together, raw.reserved)
    if groups is not None:
        require_apart(rows, together)
    if labels_per_class is not None:
        if not class_names or labels.ndim > 1:
            raise DataError("labels_per_class needs classes, one for each row")
        few = _few(rows.train, strata, class_names, labels_per_class, rng)
        rows = rows._replace(train=few)
    if train_on_validation:
        both = np.concatenate([rows.train, rows.validation])
        rows = rows._replace(train=both)
    for part, numbers in rows._asdict().items():
        if not len(numbers):
            reason = _why_none(strata, class_names, together)
            raise DataError(
                f"{count} rows split like this leave none for {part}{reason}"
            )
    return rows, labels, class_names


def _scaled_parts(inputs, rows, present, statistics):
    """The inputs of each part, and a note for what was imputed."""
    parts, notes = [{} for _ in rows], []
    for m, (name, values) in enumerate(inputs.items()):
        total = 0
        for part, numbers in zip(parts, rows, strict=True):
            part[name], imputed = scaled_rows(
                values, numbers, present[:, m], statistics[name]
            )
            total += imputed
        notes += note_imputed(name, total)
    return parts, notes


def target_moments(target):
    """Mean and deviation in float64; 1 where the target is constant."""
    target = target.astype(np.float64)
    return float(target.mean()), float(target.std()) if np.ptp(target) else 1.0


def note_missing_classes(rows, labels, class_names):
    """A note for each part of the data that has no row of some classes.

    Args:
        rows: Which rows train, validate and test.
        labels: `(N,)` numbers of classes, or `(N, K)` bool where a row has several.
        class_names: Of the `K` classes; none in a regression.
    """
    if labels.ndim == 3 or not class_names:
        return []
    notes, numbered = [], np.arange(len(class_names))
    for numbers, said in zip(rows, _WITHOUT, strict=True):
        part = labels[numbers]
        there = part.any(0) if labels.ndim == 2 else np.isin(numbered, part)
        if not there.all():
            names = [class_names[i] for i in np.flatnonzero(~there)]
            notes.append(said.format(listed(names)))
    return notes


def _why_none(strata, class_names, groups):
    """Which classes are too small to be split in proportion, where some are."""
    if groups is not None or not class_names:
        return ""
    counts = np.bincount(strata, minlength=len(class_names))[: len(class_names)]
    small = [f"{class_names[k]!r} has {counts[k]}" for k in np.flatnonzero(counts < 4)]
    if not small:
        return ""
    return (
        ", since a class gives rows to every part only from 4 rows on: "
        f"{listed(small)}; gather more rows of them, or leave them out"
    )


def _labels(raw, count, task):
    if task in OF_TIMES:
        return raw.labels, ()
    if raw.labels.ndim < 3 and multilabel.is_meant(raw.labels, task):
        return multilabel.encode(raw.labels, count, raw.class_names)
    if raw.labels.ndim != 3 or len(raw.labels) != count:
        return encode(raw.labels, count, task, raw.class_names)
    if task == ORDINAL:
        raise DataError("classes in an order are for rows, and pixels have labels here")
    sizes = {m: x.shape[1:3] for m, x in raw.inputs.items() if x.ndim == 4}
    size = raw.labels.shape[1:]
    if any(found != size for found in sizes.values()):
        raise DataError(f"expected maps of the masks' size {size}; received {sizes}")
    return encode_masks(raw.labels, raw.class_names)


def _as_labels(labels):
    """Numbers of classes as int32, which masks are not until they are split."""
    return labels if labels.dtype.kind == "f" else labels.astype(np.int32, copy=False)


def _strata(labels, class_names):
    """What is split in proportion: the classes of the rows, where they have some."""
    if labels.ndim == 2 and labels.dtype.kind == "f":
        return labels[:, 1].astype(int)  # whether the event happened
    if labels.ndim == 2:
        return multilabel.rarest(labels)
    return labels if class_names and labels.ndim == 1 else np.zeros(len(labels), int)


def _fixed(is_train, count):
    """`is_train` as booleans, or None; raises a DataError if it is something else."""
    if is_train is None:
        return None
    if is_train.shape != (count,) or not np.isin(is_train.tolist(), (0, 1)).all():
        raise DataError(
            f"expected is_train to hold true or false in each of {count} rows"
        )
    return is_train.astype(bool)


def _few(train, strata, class_names, labels_per_class, rng):
    """So many rows of each class; by the same seed, fewer are a part of more."""
    if labels_per_class < 1:
        raise DataError(f"expected labels_per_class >= 1; received {labels_per_class}")
    counts = np.bincount(strata[train], minlength=len(class_names))
    rarest = counts.argmin()
    if counts[rarest] < labels_per_class:
        raise DataError(
            f"expected at least {labels_per_class} rows of every class to train on, "
            f"for labels_per_class; there are {counts[rarest]} of "
            f"{class_names[rarest]!r}"
        )
    return draw(train, strata, lambda n: labels_per_class, rng)[0]
