"""`keras-fusion train`."""

from keras_fusion.cli.console import console
from keras_fusion.cli.results import blend_text, record_cells
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import (
    comparison,
    distillation,
    folds,
    hosts,
    recipes,
    table_columns,
    training,
)
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.runs import COMPILER_CACHE, best_run, run_of
from keras_fusion.experiments.saving import save_deployable


def run(options) -> None:
    """Trains a recipe, seed by seed, and saves models that take raw features."""
    hosts.join()
    console.quiet = not hosts.is_first()
    recipe, seeds, folder = run_of(options)
    keep_compiled(folder / COMPILER_CACHE)
    rows, models, records = [], [], []
    if options.distill and not options.folds:
        raise InputError("--distill makes one network of several: say --folds K, too.")
    if options.folds and hosts.count() > 1:
        raise InputError("--folds trains on one host.")
    if options.folds:
        return _run_folds(recipe, seeds, folder, options)
    for seed in seeds:
        data = recipes.load_data(recipe, seed)
        if data.preprocessor and seed == seeds[0]:
            header = ["column", "modality", "kind", ""]
            described = data.preprocessor.describe()
            console.print(tables.rich_table("columns", header, described))
        for note in data.notes:
            console.say(note, style="dim")
        path = folder / comparison.MODEL / f"seed-{seed}"
        console.print(f"{recipe.name}, seed {seed}, into {path}", style="bold")
        record = training.fit(
            recipe,
            data,
            seed,
            path,
            precision=options.precision,
            devices=options.devices,
            verbose=console.verbose(options.quiet),
        )
        if not hosts.is_first():
            continue
        records.append(record)
        models.append(save_deployable(recipe, data, path))
        rows.append([str(seed), *record_cells(record, recipe.split)])
    if not hosts.is_first():
        return
    score = f"validation {records[0].metric}"
    header = ["seed", score, "epochs", "seconds", "parameters"]
    console.print(tables.rich_table("trained", header, rows))
    if blended := blend_text(records):
        console.say(blended)
    for path in models:
        console.print(f"wrote {path}")
    best = best_run(folder)
    console.print(f"Next: keras-fusion predict {best} FILE")
    console.print(f"      keras-fusion export {best}")


def _run_folds(recipe, seeds, folder, options):
    rows = []
    for seed in seeds:
        path = folder / folds.ENSEMBLE / f"seed-{seed}"
        doing = f"{recipe.name}, seed {seed}, {options.folds} folds, into {path}"
        console.print(doing, style="bold")
        record = folds.fit(
            recipe,
            seed,
            options.folds,
            path,
            precision=options.precision,
            devices=options.devices,
            verbose=console.verbose(options.quiet),
        )
        for note in record["notes"]:
            console.say(note, style="dim")
        members = ", ".join(f"{x:.4f}" for x in record["members"])
        rows.append([str(seed), f"{record['validation']:.4f}", members])
    title = f"{record['metric']}, each row judged by the model that has not seen it"
    header = ["seed", "out of fold", "each fold's own"]
    console.print(tables.rich_table(title, header, rows))
    if options.distill:
        for seed in seeds:
            _distill(recipe, seed, folder / folds.ENSEMBLE / f"seed-{seed}", options)
        path = path / distillation.DISTILLED
    console.print(f"Next: keras-fusion export {path / 'model.keras'}")


def _distill(recipe, seed, path, options):
    record = distillation.distill(
        recipe,
        seed,
        path / "model.keras",
        table_columns.of(path / "model.keras"),
        precision=options.precision,
        verbose=console.verbose(options.quiet),
    )
    both = [100 * record["test"][key] for key in ("distilled", "ensemble")]
    console.print(
        f"seed {seed}: one network of {record['parameters']:,} parameters has "
        f"{both[0]:.1f} % test {record['metric']}, the ensemble {both[1]:.1f} %: "
        f"{both[0] - both[1]:+.1f} points",
        style="bold",
    )
