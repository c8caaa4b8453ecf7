"""From the winner of `keras-fusion tune` to a recipe, trained and exported."""

from pathlib import Path

from keras_fusion import comparison, export, prediction, tuning
from keras_fusion import recipe as recipes
from keras_fusion.card import best_seed, publish
from keras_fusion.commands.console import console
from keras_fusion.commands.results import print_results
from keras_fusion.commands.train import save_deployable
from keras_fusion.plots import save_plots


def promote(results: dict, name: str, folder: Path) -> None:
    """Writes `zoo/<name>` with card, results and weights, and exports the model.

    Args:
        results: Of the search.
        name: Of the recipe and of the export.
        folder: Of the search; gets the runs in `promoted/`.
    """
    path = tuning.promote(results, Path("zoo") / name)
    recipe, runs = recipes.read(str(path)), folder / "promoted" / name
    seeds = recipe["training"]["seeds"]

    def report(run, record):
        console.print(f"{run}: {record['seconds']:.1f} s", style="dim")

    found = comparison.compare(recipe, seeds, runs, report=report)
    save_plots(found, runs)
    written = [path, *publish(found, path.parent, runs)]
    print_results(found)
    for file in written:
        console.print(f"wrote {file}")
    seed = best_seed(found)
    run = runs / comparison.MODEL / f"seed-{seed}"
    model = save_deployable(recipe, recipes.load_data(recipe, seed), run)
    version = export.export(
        model,
        Path("saved_models") / name,
        samples=prediction.samples(model),
        labels=prediction.class_names(model),
    )
    console.print(f"wrote {version}: verified, its signature gives the model's numbers")
