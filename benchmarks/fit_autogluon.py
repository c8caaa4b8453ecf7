"""Fits AutoGluon to the rows of one file, in the environment that has it.

    PYTHON benchmarks/fit_autogluon.py ROWS.npz MINUTES ACCURACY.json

The features of all modalities stand side by side, as its table asks for. It trains on
the rows for training and weighs its models by those for validation, as a search does.
With its preset `best_quality` it bags and stacks.
"""

import json
import pathlib
import sys
import tempfile

import numpy as np
import pandas
from autogluon.tabular import TabularPredictor

rows, minutes, output = sys.argv[1:]
with np.load(rows) as arrays:
    columns = {}
    for name in sorted({*arrays} - {"y", "part"}):
        flat = arrays[name].reshape(len(arrays[name]), -1)
        columns |= {f"{name}_{i}": column for i, column in enumerate(flat.T)}
    labels = arrays["y"].astype(str)  # else it takes a hundred classes for numbers
    table = pandas.DataFrame({**columns, "y": labels})
    parts = {part: table[arrays["part"] == part] for part in np.unique(arrays["part"])}
with tempfile.TemporaryDirectory() as folder:
    predictor = TabularPredictor("y", eval_metric="accuracy", path=folder, verbosity=0)
    predictor.fit(
        parts["train"],
        tuning_data=parts["validation"],
        use_bag_holdout=True,
        time_limit=60 * float(minutes),
        presets="best_quality",
        num_cpus=1,
        num_gpus=0,
    )
    found = predictor.predict(parts["test"].drop(columns="y"))
    models = len(predictor.model_names())
accuracy = float(np.mean(found.to_numpy() == parts["test"]["y"].to_numpy()))
answer = {"AutoGluon": accuracy, "AutoGluon models": models}
pathlib.Path(output).write_text(json.dumps(answer))
