"""`keras-fusion train`."""

from keras_fusion.cli import options as shared
from keras_fusion.cli.console import console
from keras_fusion.cli.results import record_cells
from keras_fusion.experiments import comparison, training
from keras_fusion.experiments import recipe as recipe_files
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.runs import COMPILED, best_run, run_of
from keras_fusion.experiments.saving import save_deployable


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    shared.add_recipe(parser)
    shared.add_training(parser)


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
    best = best_run(folder)
    console.print(f"Next: keras-fusion predict {best} FILE")
    console.print(f"      keras-fusion export {best}")
