"""`keras-fusion init`."""

from pathlib import Path

import numpy as np

from keras_fusion.cli.console import console
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole
from keras_fusion.datasets.times import names
from keras_fusion.experiments.own_data import is_data, recipe_for
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.runs import labels_of
from keras_fusion.experiments.writing import recipe_text


def run(options) -> None:
    """Writes a recipe with all that was inferred of a file."""
    file = Path(options.file)
    if not is_data(options.file):
        raise InputError(
            f"init takes a .csv, .tsv, .parquet or .npz file; received {file}."
        )
    path = Path(options.output or file.with_suffix(".toml"))
    if path.exists():
        raise InputError(f"{path} is there already: choose another --output.")
    recipe = recipe_for(options.file, **labels_of(options))
    data = load_data(recipe, seed=0)
    for note in data.notes:
        console.say(note, style="dim")
    with whole(path) as beside:
        text = recipe_text(path, recipe, data, _facts(data))
        beside.write_text(text, encoding="utf-8")
    console.print(f"wrote {path}: read it, change what is wrong, then run")
    console.print(f"keras-fusion train {path}")


def _facts(data):
    """What was understood of the file, a line each."""
    rows = {n: len(getattr(data, n).labels) for n in ("train", "validation", "test")}
    parts = ", ".join(f"{count} {part}" for part, count in rows.items())
    yield f"{sum(rows.values())} rows: {parts}"
    for name, shape in data.input_shapes.items():
        columns = data.columns.get(name, ())
        words = ", ".join(columns) if columns else f"shape {shape}"
        yield f"{name}: {words}"
    if data.left_out:
        yield f"left out: {', '.join(data.left_out)}"
    if data.class_names:
        shares = _shares(data.train.labels, data.classes)
        classes = zip(data.class_names, shares, strict=True)
        yield "classes: " + ", ".join(f"{name} ({x:.0%})" for name, x in classes)
    elif data.times:
        yield _events(data.train.labels, data.times)
    else:
        mean, std = data.target
        yield f"target: {mean:.4g} on average, standard deviation {std:.4g}"


def _events(labels, times):
    count = int(labels[:, 1].sum())
    return (
        f"events: {count} in {len(labels)} training rows, half of them before "
        f"{np.median(labels[labels[:, 1] > 0, 0]):.4g}; survival is told at "
        f"{', '.join(names(times))}"
    )


def _shares(labels, classes):
    """How many of the rows, or of the pixels, have each label."""
    if labels.ndim == 2:
        return labels.mean(axis=0)
    counts = np.bincount(labels.ravel(), minlength=classes)
    return counts / counts.sum()
