"""A raw data set -> one that is ready to train on."""

import numpy as np

from keras_fusion.datasets.dataset import Dataset, Raw, Split
from keras_fusion.datasets.labels import encode, encode_masks
from keras_fusion.datasets.splitting import draw, split
from keras_fusion.datasets.standardization import measure, standardise


def prepare(
    name: str,
    raw: Raw,
    seed: int = 0,
    labels_per_class: int | None = None,
    train_on_validation: bool = False,
) -> Dataset:
    """Encodes the labels, splits, and standardises by the rows that train.

    Raises:
        ValueError: If labels or split are not as `load` says, a part would be empty,
            or there are fewer than `labels_per_class` rows of a class to train on.
    """
    try:
        return _prepare(name, raw, seed, labels_per_class, train_on_validation)
    except ValueError as error:
        raise ValueError(f"{name}: {error}.") from error


def _prepare(name, raw, seed, labels_per_class, train_on_validation):
    count = len(next(iter(raw.inputs.values())))
    labels, class_names = _labels(raw, count)
    strata = _strata(labels, class_names)
    rng = np.random.default_rng(seed)
    rows = split(strata, _fixed(raw.is_train, count), rng, raw.groups)
    if labels_per_class is not None:
        if not class_names or labels.ndim > 1:
            raise ValueError("labels_per_class needs classes, one for each row")
        few = _few(rows.train, strata, class_names, labels_per_class, rng)
        rows = rows._replace(train=few)
    if train_on_validation:
        both = np.concatenate([rows.train, rows.validation])
        rows = rows._replace(train=both)
    for part, numbers in rows._asdict().items():
        if not len(numbers):
            raise ValueError(f"{count} rows split like this leave none for {part}")
    statistics = measure({m: x[rows.train] for m, x in raw.inputs.items()})
    inputs, notes = standardise(raw.inputs, statistics)
    parts = [Split({m: x[i] for m, x in inputs.items()}, labels[i]) for i in rows]
    return Dataset(name, *parts, class_names, statistics, notes)


def _labels(raw, count):
    if raw.labels.ndim != 3 or len(raw.labels) != count:
        return encode(raw.labels, count)
    sizes = {m: x.shape[1:3] for m, x in raw.inputs.items() if x.ndim == 4}
    size = raw.labels.shape[1:]
    if any(found != size for found in sizes.values()):
        raise ValueError(f"expected maps of the masks' size {size}; received {sizes}")
    return encode_masks(raw.labels, raw.class_names)


def _strata(labels, class_names):
    """What is split in proportion: the classes of the rows, where they have some."""
    return labels if class_names and labels.ndim == 1 else np.zeros(len(labels), int)


def _fixed(is_train, count):
    """`is_train` as booleans, or None; raises a ValueError if it is something else."""
    if is_train is None:
        return None
    if is_train.shape != (count,) or not np.isin(is_train.tolist(), (0, 1)).all():
        raise ValueError(
            f"expected is_train to hold true or false in each of {count} rows"
        )
    return is_train.astype(bool)


def _few(train, strata, class_names, labels_per_class, rng):
    """So many rows of each class; by the same seed, fewer are a part of more."""
    if labels_per_class < 1:
        raise ValueError(f"expected labels_per_class >= 1; received {labels_per_class}")
    counts = np.bincount(strata[train], minlength=len(class_names))
    rarest = counts.argmin()
    if counts[rarest] < labels_per_class:
        raise ValueError(
            f"expected at least {labels_per_class} rows of every class to train on, "
            f"for labels_per_class; there are {counts[rarest]} of "
            f"{class_names[rarest]!r}"
        )
    return draw(train, strata, lambda n: labels_per_class, rng)[0]
