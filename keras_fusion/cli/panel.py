"""`keras-fusion panel`."""

from pathlib import Path

from keras_fusion.cli.console import console
from keras_fusion.experiments import recipes
from keras_fusion.experiments.reports import panel as panels


def run(options) -> None:
    """Draws one test frame of a recipe for dense prediction."""
    recipe = recipes.changed(
        recipes.read(options.recipe),
        dataset=options.dataset,
        label=options.label,
        task=options.task,
    )
    home = recipes.file_of(options.recipe).parent
    model, data = panels.load(recipe, Path(options.runs), home)
    path = Path(options.output or f"{recipe.name}.png")
    panels.save_panel(model, data, options.row, tuple(options.point), path)
    console.print(f"wrote {path}")
