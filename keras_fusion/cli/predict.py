"""`keras-fusion predict`."""

import json

from keras_fusion.cli.console import console
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import MODALITY_WEIGHTS
from keras_fusion.experiments import (
    contributions,
    mask_files,
    prediction,
    prediction_parts,
    predictions,
)
from keras_fusion.experiments.network_share import (
    has_a_say,
    network_share,
    weights_notes,
)
from keras_fusion.experiments.reports import prediction_tables, tables

IN_PYTHON = (
    "in Python: import keras_fusion.layers, then keras.models.load_model takes the file"
)


def run(options) -> None:
    """Prints or writes classes, probabilities and modality weights for a file."""
    if mask_files.is_folder(options.file):
        _write_masks(options)
        return
    if options.output:
        predictions.check_path(options.output)
    whole = options.json or options.contributions
    if not whole and prediction_parts.is_cut(
        options.model, options.file, options.output
    ):
        _write_parts(options)
        return
    if options.address:
        raise InputError(
            "--address is for a table and --output FILE.csv or FILE.parquet, without "
            "--json and --contributions."
        )
    rows = prediction.read_rows(options.model, options.file)
    outputs = prediction.predict(options.model, rows.inputs)
    names = prediction.class_names(options.model, outputs)
    notes = *rows.notes, *weights_notes(options.model, outputs)
    if options.contributions:
        found = contributions.row_contributions(options.model, rows.inputs)
        outputs["contributions"] = found
    if options.output:
        modalities = prediction.modalities(options.model)
        predictions.save(options.output, outputs, names, modalities, rows.ids)
    if options.json:
        print(json.dumps(predictions.document(outputs, names, rows.ids, notes)))
        return
    for note in notes:
        console.say(note, style="dim")
    if options.output:
        console.print(f"wrote {options.output}", markup=False)
        return
    modalities = prediction.modalities(options.model)
    if not has_a_say(network_share(options.model)):
        outputs.pop(MODALITY_WEIGHTS, None)
    header, cells = prediction_tables.prediction_rows(
        outputs, names, modalities, rows.ids
    )
    console.print(tables.rich_table(f"{options.file}", header, cells[: options.rows]))
    if len(cells) > options.rows:
        console.print(f"{len(cells) - options.rows} more rows: --rows N or --json")
    if options.model.endswith(".keras"):
        console.print(IN_PYTHON, style="dim")


def _write_parts(options):
    """Writes all rows of a table in constant memory."""
    with console.status("0 rows") as status:
        notes = prediction_parts.write(
            options.model,
            options.file,
            options.output,
            report=lambda rows: status.update(f"{rows:,} rows"),
            address=options.address,
        )
    for note in notes:
        console.say(note, style="dim")
    console.print(f"wrote {options.output}", markup=False)


def _write_masks(options):
    """Writes a mask for each picture of a folder."""
    if not options.output:
        raise InputError("Masks are files: name a folder for them by --output.")
    for note in mask_files.write(options.model, options.file, options.output):
        console.say(note, style="dim")
    console.print(f"wrote masks into {options.output}", markup=False)
