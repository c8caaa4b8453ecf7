"""What each command of `keras-fusion` does."""

import json
from pathlib import Path

import keras
import numpy as np
from rich.console import Console

from keras_fusion import (
    comparison,
    datasets,
    layers,
    prediction,
    recipes,
    tables,
    training,
    zoo,
)
from keras_fusion import export as exporting
from keras_fusion import panel as panels
from keras_fusion import recipe as recipe_files
from keras_fusion.card import publish
from keras_fusion.files import whole, write_json
from keras_fusion.plots import save_plots
from keras_fusion.tasks import task_of

# What a user calls their files and classes is no markup.
console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


def run(options) -> int:
    """Runs the command that was parsed into `options`; the exit status."""
    keras.config.disable_traceback_filtering()  # errors in their own words
    commands = {
        "list": list_all,
        "train": train,
        "evaluate": evaluate,
        "export": export,
        "predict": predict,
        "panel": panel,
    }
    commands[options.command](options)
    return 0


def list_all(options) -> None:
    """Prints everything that has a name, or the published results of a recipe."""
    if options.recipe:
        return _print_published(recipe_files.read(options.recipe)["name"])
    kinds = {
        "operators": {n: _first_line(c) for n, c in layers.operators().items()},
        "builders": {n: _first_line(b) for n, b in zoo.builders().items()},
        "recipes": {n: _recipe_line(n) for n in recipes.names()},
        "data sets": {n: "known" for n in datasets.names()}
        | {name: "your own" for name in datasets.own()},
    }
    for kind, entries in kinds.items():
        console.print(
            tables.rich_table(kind, ["name", "what it is"], [*entries.items()])
        )


def train(options) -> None:
    """Trains a recipe, seed by seed, and saves models that take raw features."""
    recipe, seeds, folder = _run_of(options)
    rows, models = [], []
    for seed in seeds:
        data = recipe_files.load_data(recipe, seed)
        for note in data.notes:
            console.print(note, style="dim")
        path = folder / comparison.MODEL / f"seed-{seed}"
        console.print(f"{recipe['name']}, seed {seed}, into {path}", style="bold")
        record = training.fit(
            recipe,
            data,
            seed,
            path,
            precision=options.precision,
            verbose=0 if options.quiet else 1,
        )
        models.append(save_deployable(recipe, data, path))
        rows.append([str(seed), *_record_cells(record)])
    header = ["seed", "validation", "epochs", "seconds", "parameters"]
    console.print(tables.rich_table("trained", header, rows))
    for path in models:
        console.print(f"wrote {path}")


def evaluate(options) -> None:
    """Trains the baselines, judges all on the test set, writes results and plots."""
    recipe, seeds, folder = _run_of(options)
    if options.publish and (options.dataset or options.label or options.epochs):
        raise ValueError(
            "--publish is for the recipe as it stands: leave out --dataset, --label "
            "and --epochs."
        )
    count = 0

    def report(name, record):
        nonlocal count
        count += 1
        cells = "  ".join(_record_cells(record)[:3:2])
        console.print(f"fit {count}: {name}: {cells} s", style="dim")

    results = comparison.compare(
        recipe,
        seeds,
        folder,
        part=options.on,
        precision=options.precision,
        leave_out=options.leave_out,
        report=report,
    )
    write_json(folder / "results.json", results)
    for note in results["notes"]:
        console.print(note, style="dim")
    _print_results(results)
    written = [folder / "results.json", *save_plots(results, folder)]
    if options.publish:
        home = recipe_files.file_of(options.recipe).parent
        written += publish(results, home, folder)
    for path in written:
        console.print(f"wrote {path}")


def export(options) -> None:
    """Exports a `.keras` file, or the run of a recipe that validated best."""
    model = Path(options.model)
    name = model.stem
    if model.suffix != ".keras":
        name = recipe_files.read(options.model)["name"]
        model = best_run(Path(options.runs) / name)
    output = Path(options.output or Path("saved_models") / name)
    console.print(f"exporting {model}; it is loaded again and compared, please wait")
    labels = prediction.class_names(model)
    version = exporting.export(prediction.load(model), output, labels=labels)
    console.print(f"wrote {version}: verified, its signature gives the model's numbers")


def predict(options) -> None:
    """Prints classes, probabilities and modality weights for a file of features."""
    inputs = datasets.read(options.file)
    outputs = prediction.predict(options.model, inputs)
    names = prediction.class_names(options.model)
    if options.json:
        rows = {name: np.asarray(x).tolist() for name, x in outputs.items()}
        print(json.dumps(rows | ({"class_names": names} if names else {})))
        return
    columns = prediction.modalities(options.model)
    header, rows = tables.prediction_rows(outputs, names, columns)
    console.print(tables.rich_table(f"{options.file}", header, rows[: options.rows]))
    if len(rows) > options.rows:
        console.print(f"{len(rows) - options.rows} more rows: --rows N or --json")


def panel(options) -> None:
    """Draws one test frame of a recipe for dense prediction."""
    recipe = recipe_files.read(options.recipe)
    model, data = panels.load(recipe, Path(options.runs))
    path = Path(options.output or f"{recipe['name']}.png")
    panels.save_panel(model, data, options.row, tuple(options.point), path)
    console.print(f"wrote {path}")


def save_deployable(recipe: dict, data, folder: Path) -> Path:
    """Saves the model that takes raw features beside the weights it was fitted to."""
    head = task_of(data).deployed_head
    model = comparison.trained(recipe, data, folder, **head)
    path = folder / "model.keras"
    with whole(path) as beside:
        zoo.deployable(model, data.statistics).save(beside)
    write_json(folder / prediction.CLASSES, list(data.class_names) or None)
    return path


def best_run(folder: Path) -> Path:
    """The trained model that validated best of a recipe's seeds."""
    models = sorted((folder / comparison.MODEL).glob("seed-*/model.keras"))
    if not models:
        raise ValueError(
            f"There is no trained model in {folder}: run `keras-fusion train` first."
        )
    records = {m: training.read_record(m.parent / training.RECORD) for m in models}
    return max(models, key=lambda m: records[m]["validation"])


def _run_of(options):
    """The recipe with the options' changes, its seeds, and its folder of runs."""
    recipe = recipe_files.read(options.recipe)
    recipe = recipe_files.changed(
        recipe,
        dataset=options.dataset,
        label=options.label,
        epochs=options.epochs,
        seeds=options.seeds,
    )
    return recipe, recipe["training"]["seeds"], Path(options.runs) / recipe["name"]


def _print_results(results):
    count = len(results["fits"])
    title = (
        f"{results['part']} {results['metric']} in percent on "
        f"{results['recipe']['dataset']}, {count} seed{'s' if count > 1 else ''}, "
        "by number of views missing at random"
    )
    console.print(tables.rich_table(title, *tables.comparison_rows(results)))
    if any(results.get("measures", {}).values()):
        rows = tables.measure_rows(results)
        console.print(tables.rich_table("by other measures", *rows))
    console.print(tables.rich_table("each view missing", *tables.missing_rows(results)))
    for sentence in tables.paired_sentences(results):
        console.print(f"{results['recipe']['name']} {sentence}", soft_wrap=True)


def _print_published(name):
    path = recipes.folder() / name / "results.json"
    if not path.is_file():
        raise ValueError(f"{name} has no published results; {path} is not there.")
    results = json.loads(path.read_text())
    console.print(f"from {path}, measured on {results['date']}")
    _print_results(results)


def _record_cells(record):
    score = record["validation"]
    return [
        f"{100 * score:.1f} %" if score >= 0 else f"loss {-score:.4f}",
        str(record["epochs"]),
        f"{record['seconds']:.1f}",
        f"{record['parameters']:,}",
    ]


def _first_line(thing):
    return thing.__doc__.strip().splitlines()[0]


def _recipe_line(name):
    results = recipes.folder() / name / "results.json"
    if not results.is_file():
        return "no results yet"
    found = json.loads(results.read_text())
    runs = found["scores"][comparison.MODEL]["all"]
    return (
        f"{found['recipe']['dataset']}: {tables.spread(runs)} % {found['metric']}, "
        f"{len(runs)} seeds"
    )
