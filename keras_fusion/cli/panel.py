"""`keras-fusion panel`."""

from pathlib import Path

from keras_fusion.cli import options as shared
from keras_fusion.cli.console import console
from keras_fusion.experiments import recipe as recipe_files
from keras_fusion.experiments.reports import panel as panels


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "recipe", help="name, folder or .toml file of a recipe for segmentation"
    )
    shared.add_dataset(parser)
    parser.add_argument(
        "--row", type=int, default=0, help="number of the frame in the test set"
    )
    parser.add_argument(
        "--point",
        type=int,
        nargs=2,
        default=(0, 0),
        metavar=("Y", "X"),
        help="pixel whose affinities are drawn",
    )
    shared.add_runs(parser)
    parser.add_argument("--output", help="file to write; RECIPE.png if left out")


def run(options) -> None:
    """Draws one test frame of a recipe for dense prediction."""
    recipe = recipe_files.changed(
        recipe_files.read(options.recipe),
        dataset=options.dataset,
        label=options.label,
        task=options.task,
    )
    home = recipe_files.file_of(options.recipe).parent
    model, data = panels.load(recipe, Path(options.runs), home)
    path = Path(options.output or f"{recipe.name}.png")
    panels.save_panel(model, data, options.row, tuple(options.point), path)
    console.print(f"wrote {path}")
