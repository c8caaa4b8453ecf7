"""`keras-fusion export`."""

from pathlib import Path

from keras_fusion import export as exporting
from keras_fusion.cli.console import console
from keras_fusion.experiments import prediction, table_columns, training
from keras_fusion.experiments import recipe as recipe_files
from keras_fusion.experiments.runs import best_run


def run(options) -> None:
    """Exports a `.keras` file, or the run of a recipe that validated best."""
    model = Path(options.model)
    name = model.stem
    if model.suffix != ".keras":
        name = recipe_files.read(options.model).name
        model = best_run(Path(options.runs) / name)
    output = Path(options.output or Path("saved_models") / name)
    if options.samples:
        samples = _read_samples(model, options.samples)
    else:
        samples = prediction.samples(model)
    raw = table_columns.raw_columns(model)
    console.print(f"exporting {model}; it is loaded again and compared, please wait")
    version = exporting.export(
        model,
        output,
        version=options.version,
        samples=samples,
        trained=None if options.samples else prediction.trained(model),
        labels=prediction.class_names(model),
        columns=None if raw else prediction.columns(model),
        raw=None if options.samples else raw,
        formats=options.formats,
        warmup_batches=options.warmup,
        xla_batches=options.xla,
        about=_about(model),
    )
    console.print(f"wrote {version}: verified, its signature gives the model's numbers")


def _read_samples(model, file):
    rows = prediction.read_rows(model, file)
    for note in rows.notes:
        console.print(note, style="dim", markup=False)
    return rows.inputs


def _about(model):
    """Recipe and metrics of the run that a model comes from, where it was left."""
    record = model.parent / training.RECORD
    if not record.is_file():
        return None
    run = training.read_record(record)
    metrics = ("validation", "epochs", "seconds", "parameters")
    return {"recipe": run["identity"], "metrics": {k: run[k] for k in metrics}}
