"""`keras-fusion evaluate`."""

from keras_fusion.cli.console import console
from keras_fusion.cli.results import print_results, record_cells
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import comparison, recipes
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.own_data import is_data
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.reports.card import publish
from keras_fusion.experiments.reports.plots import save_plots
from keras_fusion.experiments.runs import COMPILER_CACHE, best_run, run_of
from keras_fusion.experiments.saving import save_deployable


def run(options) -> None:
    """Trains the baselines, judges all on the test set, writes results and plots."""
    recipe, seeds, folder = run_of(options)
    keep_compiled(folder / COMPILER_CACHE)
    if options.publish:
        _check_publishable(options)
    count = 0

    def report(name, record):
        nonlocal count
        count += 1
        cells = "  ".join(record_cells(record, recipe.split)[:3:2])
        console.print(f"fit {count}: {name}: {cells} s", style="dim")

    results = comparison.compare(
        recipe,
        seeds,
        folder,
        part=options.on,
        precision=options.precision,
        devices=options.devices,
        leave_out=options.leave_out,
        corrupt=options.corrupt,
        report=report,
    )
    for seed in seeds:
        path = folder / comparison.MODEL / f"seed-{seed}"
        save_deployable(recipe, load_data(recipe, seed), path)
    results.write(folder / "results.json")
    for note in results.notes:
        console.say(note, style="dim")
    print_results(results)
    written = [folder / "results.json", *save_plots(results, folder)]
    if options.publish:
        home = recipes.file_of(options.recipe).parent
        written += publish(results, home, folder)
    for path in written:
        console.print(f"wrote {path}")
    console.print(f"To predict with it: keras-fusion predict {best_run(folder)} FILE")


def _check_publishable(options):
    """A recipe's results are those of its own file, as it stands, on the test set."""
    if is_data(options.recipe):
        raise InputError(
            f"--publish writes into a recipe's folder; {options.recipe} has none."
        )
    if options.dataset or options.label or options.epochs:
        raise InputError(
            "--publish is for the recipe as it stands: leave out --dataset, --label "
            "and --epochs."
        )
    if options.on != "test":
        raise InputError(
            f"--publish is for results on the test set; received --on {options.on}."
        )
    file = recipes.file_of(options.recipe)
    if file.name != recipes.RECIPE:
        raise InputError(
            f"--publish writes into a recipe's folder, so it takes a "
            f"{recipes.RECIPE}; received {file}."
        )
