"""From the winner of `keras-fusion tune` to a recipe, trained and exported."""

import importlib.util
import shutil
import statistics
from pathlib import Path

from keras_fusion import export, tuning
from keras_fusion.cli.console import console
from keras_fusion.cli.results import print_results
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import comparison, recipes
from keras_fusion.experiments.for_export import for_export
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.reports.card import best_seed, publish
from keras_fusion.experiments.reports.plots import save_plots
from keras_fusion.experiments.saving import save_deployable
from keras_fusion.tuning import ensembling
from keras_fusion.tuning.promotion import (
    baseline_that_won,
    best_fusion,
    seconds_of,
)
from keras_fusion.tuning.results import Results

ZOO = Path("zoo")
LATER = (
    "When the search has ended, --promote trains the best fusion and its baselines, {} "
    "times each. That comes on top of the search; its time is said before it begins."
)
NEEDED = {"matplotlib": "plots", "tensorflow": "tensorflow", "tomli_w": "tuning"}


def check(name: str, ensemble: bool) -> None:
    """Raises, before anything is trained, if a promotion could not come to its end."""
    if not ensemble and (ZOO / name).exists():
        raise InputError(f"{ZOO / name} is there already: name another one.")
    needed = {"tensorflow": "tensorflow"} if ensemble else NEEDED
    for module, extra in needed.items():
        if importlib.util.find_spec(module) is None:
            raise ImportError(
                f'--promote needs {module}: pip install "keras-fusion[{extra}]".'
            )


def promote(results: Results, name: str, folder: Path) -> None:
    """Writes `zoo/<name>` with card, results and weights, and exports the model.

    The recipe appears in the zoo when all is done: until then the same command goes on.

    Args:
        results: Of the search.
        name: Of the recipe and of the export.
        folder: Of the search; gets the runs in `promoted/`.
    """
    trials = results.trials
    best = best_fusion(trials)
    runs = folder / "promoted" / f"trial-{best.trial}"
    recipe_file = tuning.promote(results, runs / "recipe" / name)
    recipe = recipes.read(str(recipe_file))
    seeds = recipe.training.seeds
    found = comparison.compare(recipe, seeds, runs, report=_Progress(recipe, best))
    save_plots(found, runs)
    publish(found, recipe_file.parent, runs)
    print_results(found)
    seed = best_seed(found)
    run = runs / comparison.MODEL / f"seed-{seed}"
    model = save_deployable(recipe, recipes.load_data(recipe, seed), run)
    _export(model, name)
    console.print(f"wrote {_move(recipe_file.parent, ZOO / name)}")
    if won := baseline_that_won(trials):
        console.say(won, style="bold")


def promote_ensemble(results: Results, name: str, folder: Path) -> None:
    """Writes the ensemble that the search chose as one model, and exports it.

    Args:
        results: Of the search.
        name: Of the export.
        folder: Of the search; gets the model in `promoted/ensemble`.
    """
    home = folder / "promoted" / "ensemble"
    record = ensembling.promote_ensemble(results, folder, home)
    rows = [
        [trial, own["fusion"], str(own["weight"]), f"{100 * own['validation']:.1f}"]
        for trial, own in record["members"].items()
    ]
    header = ["trial", "fusion", "counts", "validation"]
    console.print(tables.rich_table("members of the ensemble", header, rows))
    both = [f"{100 * record['test'][key]:.1f} %" for key in ("ensemble", "best")]
    console.print(
        f"test {record['metric']}: the ensemble has {both[0]}, its best member "
        f"{both[1]}",
        style="bold",
    )
    _export(home / "model.keras", name)


def _export(model, name):
    console.print(f"exporting {model}; it is loaded again and compared, please wait")
    version = export.export(model, Path("saved_models") / name, **for_export(model))
    console.print(f"wrote {version}: verified, its signature gives the model's numbers")


class _Progress:
    """Says what a promotion trains, then each run as it ends with the time left."""

    def __init__(self, recipe, trial):
        seeds = recipe.training.seeds
        names = [*comparison.variants(recipe, recipes.load_data(recipe, seeds[0]))]
        self.total, self.seconds = len(names) * len(seeds), []
        once = seconds_of(trial, recipe.training.epochs)
        console.say(
            f"--promote trains {self.total} models now: {', '.join(names)}, for the "
            f"seeds {', '.join(map(str, seeds))}. By the time of the trial, that is "
            f"about {_minutes(self.total * once)}. If you stop it, the same command "
            "goes on.",
            style="bold",
        )

    def __call__(self, run, record):
        self.seconds.append(record.seconds)
        done = len(self.seconds)
        left = (self.total - done) * statistics.fmean(self.seconds)
        console.print(
            f"{run}: {record.seconds:.1f} s  ({done} of {self.total}, about "
            f"{_minutes(left)} left)",
            style="dim",
        )


def _minutes(seconds):
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"


def _move(source, target):
    """Moves a folder, to another disk too, where it appears whole or not at all."""
    beside = target.with_name(f".{target.name}")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside)
    beside.replace(target)
    return target
