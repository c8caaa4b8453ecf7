"""`keras-fusion train`."""

from pathlib import Path

import numpy as np

from keras_fusion import zoo
from keras_fusion.cli.console import console
from keras_fusion.cli.results import record_cells
from keras_fusion.experiments import comparison, prediction, table_columns, training
from keras_fusion.experiments import recipe as recipe_files
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.runs import COMPILED, run_of
from keras_fusion.experiments.tasks import task_of
from keras_fusion.files import whole, write_json


def run(options) -> None:
    """Trains a recipe, seed by seed, and saves models that take raw features."""
    recipe, seeds, folder = run_of(options)
    keep_compiled(folder / COMPILED)
    rows, models = [], []
    for seed in seeds:
        data = recipe_files.load_data(recipe, seed)
        for note in data.notes:
            console.print(note, style="dim")
        path = folder / comparison.MODEL / f"seed-{seed}"
        console.print(f"{recipe.name}, seed {seed}, into {path}", style="bold")
        record = training.fit(
            recipe,
            data,
            seed,
            path,
            precision=options.precision,
            verbose=0 if options.quiet else 1,
        )
        models.append(save_deployable(recipe, data, path))
        rows.append([str(seed), *record_cells(record, recipe.split)])
    header = ["seed", "validation", "epochs", "seconds", "parameters"]
    console.print(tables.rich_table("trained", header, rows))
    for path in models:
        console.print(f"wrote {path}")


def save_deployable(recipe: recipe_files.Recipe, data, folder: Path) -> Path:
    """Saves the model that takes raw features beside the weights it was fitted to."""
    head = task_of(data).deployed_head
    model = comparison.trained(recipe, data, folder, **head)
    path = folder / "model.keras"
    with whole(path) as beside:
        zoo.deployable(model, data.statistics).save(beside)
    write_json(folder / prediction.CLASSES, list(data.class_names) or None)
    write_json(folder / prediction.INPUTS, data.schema.to_json())
    with whole(folder / prediction.SAMPLES) as beside:
        rows = {f"inputs/{name}": x for name, x in data.samples.items()}
        np.savez(beside, **rows, **prediction.answered(model, data))
    table_columns.save(folder, data)
    return path
