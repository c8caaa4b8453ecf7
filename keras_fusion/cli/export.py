"""`keras-fusion export`."""

from pathlib import Path

import numpy as np

from keras_fusion import export as exporting
from keras_fusion.cli.console import console
from keras_fusion.experiments import prediction, record
from keras_fusion.experiments.for_export import for_export
from keras_fusion.experiments.runs import best_run, recipe_of


def run(options) -> None:
    """Exports a `.keras` file, or the run of a recipe that validated best."""
    exporting.check_installed(options.formats)
    model = Path(options.model)
    if model.suffix == ".keras":
        name = _name(model)
    else:
        options.recipe = options.model
        name = recipe_of(options).name
        model = best_run(Path(options.runs) / name)
    output = Path(options.output or Path("saved_models") / name)
    known = for_export(model)
    if options.samples:
        rows = _read_samples(model, options.samples)
        samples, trained = _behind(known["samples"], known["trained"], rows)
        known |= {"samples": samples, "trained": trained, "raw": None}
    console.print(f"exporting {model}; it is loaded again and compared, please wait")
    version = exporting.export(
        model,
        output,
        version=options.version,
        contributions=options.contributions,
        formats=options.formats,
        warmup_batches=options.warmup,
        xla_batches=options.xla,
        **known,
    )
    console.print(f"wrote {version}: verified, its signature gives the model's numbers")


def _behind(kept, trained, rows):
    """A person's rows behind those that the trained model is known to have answered.

    Rows that do not fit come back alone: the export says what is wrong with them.
    """
    if trained is None or _shapes(kept) != _shapes(rows):
        return rows, None
    return {name: np.concatenate([kept[name], x]) for name, x in rows.items()}, trained


def _shapes(rows):
    return {name: x.shape[1:] for name, x in rows.items()}


def _read_samples(model, file):
    rows = prediction.read_rows(model, file)
    for note in rows.notes:
        console.say(note, style="dim")
    return rows.inputs


def _name(model):
    """That of the recipe where the file is one of its runs, else of the file."""
    run = record.read(model.parent)
    return run.name if run else model.stem
