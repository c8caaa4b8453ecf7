"""Where the runs of a recipe are, and which of them is best."""

import dataclasses
from pathlib import Path

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import comparison, own_data, recipes, record, trust

COMPILER_CACHE = ".compiled"  # beside the runs of a recipe: what is compiled for them


def recipe_of(options) -> recipes.Recipe:
    """The recipe that the options name, with another data set if they name one.

    A recipe for another data set is called after both, so that neither's runs and
    exports are taken for the other's.
    """
    if own_data.is_data(options.recipe):
        if options.dataset:
            raise InputError(
                f"{options.recipe} is a data set: leave out --dataset, or name "
                "a recipe."
            )
        return own_data.recipe_for(options.recipe, **labels_of(options))
    recipe = recipes.read(options.recipe)
    recipe = recipes.changed(recipe, dataset=options.dataset, **labels_of(options))
    if not options.dataset:
        file = recipes.file_of(options.recipe)
        meant = f"say --dataset {recipe.dataset}"
        trust.check_path(recipe.dataset, file.parent, str(file), meant)
        return recipe
    name = f"{recipe.name}-{own_data.name_of(options.dataset)}"
    return dataclasses.replace(recipe, name=name)


def labels_of(options) -> dict:
    """What the options say of the labels; None where they do not."""
    known = "label", "task", "order", "time", "event"
    return {key: getattr(options, key) for key in known}


def run_of(options) -> tuple[recipes.Recipe, tuple[int, ...], Path]:
    """The recipe with the options' changes, its seeds, and its folder of runs."""
    recipe = recipes.changed(
        recipe_of(options),
        epochs=options.epochs,
        seeds=options.seeds,
        calibrate=options.calibrate,
        coverage=options.coverage,
        uncertainty=options.uncertainty,
    )
    return recipe, recipe.training.seeds, Path(options.runs) / recipe.name


def best_run(folder: Path) -> Path:
    """The trained model that validated best of a recipe's seeds."""
    models = sorted((folder / comparison.MODEL).glob("seed-*/model.keras"))
    if not models:
        raise InputError(
            f"There is no trained model in {folder}: run `keras-fusion train` first."
        )
    return max(models, key=lambda model: record.read(model.parent).validation)
