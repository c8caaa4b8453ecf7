"""Where the runs of a recipe are, and which of them is best."""

from pathlib import Path

from keras_fusion.experiments import comparison, training
from keras_fusion.experiments import recipe as recipe_files

COMPILED = ".compiled"  # beside the runs of a recipe: what is compiled for them


def run_of(options) -> tuple[recipe_files.Recipe, tuple[int, ...], Path]:
    """The recipe with the options' changes, its seeds, and its folder of runs."""
    recipe = recipe_files.read(options.recipe)
    recipe = recipe_files.changed(
        recipe,
        dataset=options.dataset,
        label=options.label,
        epochs=options.epochs,
        seeds=options.seeds,
    )
    return recipe, recipe.training.seeds, Path(options.runs) / recipe.name


def best_run(folder: Path) -> Path:
    """The trained model that validated best of a recipe's seeds."""
    models = sorted((folder / comparison.MODEL).glob("seed-*/model.keras"))
    if not models:
        raise ValueError(
            f"There is no trained model in {folder}: run `keras-fusion train` first."
        )
    records = {m: training.read_record(m.parent / training.RECORD) for m in models}
    return max(models, key=lambda m: records[m]["validation"])
