"""`keras-fusion predict`."""

import json

import numpy as np

from keras_fusion import datasets
from keras_fusion.cli.console import console
from keras_fusion.experiments import prediction
from keras_fusion.experiments.reports import tables


def run(options) -> None:
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
