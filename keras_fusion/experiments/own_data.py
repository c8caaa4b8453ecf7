"""A recipe for a file that has none."""

import hashlib
from pathlib import Path

from keras_fusion.experiments.recipes import Recipe, Training

KINDS = {".csv": "table", ".tsv": "table", ".parquet": "table", ".npz": "npz"}

# What `benchmarks/defaults.py` found right for most data.
USUAL = {"heads": "average", "units": 64, "dropout": 0.5, "modality_dropout": 0.3}

NOT_LINEAR = ("ordinal", "risk", "survival")  # no linear model of these is fitted


def is_data(path: str) -> bool:
    """Whether this is the name of a file with rows, not of a recipe."""
    return Path(path).suffix.lower() in KINDS


def recipe_for(
    path: str,
    label: str | tuple[str, ...] | None,
    task: str | None = None,
    order: tuple[str, ...] | None = None,
    time: str | None = None,
    event: str | None = None,
) -> Recipe:
    """A recipe for a file of one's own, with settings that fit many data sets.

    Args:
        path: A file that `is_data`.
        label: Column or array that holds the labels, or several; None is `y`.
        task: What they are; None takes what they look like.
        order, time, event: Of classes in an order, and of times; see `datasets.load`.
    """
    dataset = f"{KINDS[Path(path).suffix.lower()]}:{path}"
    linear = not order and time is None and task not in NOT_LINEAR
    return Recipe(
        name=name_of(dataset),
        dataset=dataset,
        label=label or "y",
        task=task,
        arguments=USUAL | {"linear_path": linear},
        order=tuple(order or ()),
        time=time,
        event=event,
        # The loss of a risk compares the rows of a batch with each other.
        training=Training(epochs=200, batch_size=32 if time is None else 256),
    )


def name_of(dataset: str) -> str:
    """What runs and exports of this data set are called.

    The name of a file is followed by a few letters that its folder decides, so that two
    files of one name never share a folder of runs.
    """
    _, colon, path = dataset.partition(":")
    if not colon:
        return dataset.replace("/", "-")
    whole = Path(path).resolve()
    return f"{whole.stem}-{hashlib.sha256(str(whole).encode()).hexdigest()[:6]}"
