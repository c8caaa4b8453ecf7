"""What lies beside the graph of a version, and what its manifest says."""

import importlib.metadata
import json
from pathlib import Path

import keras

from keras_fusion.common.names import MASK
from keras_fusion.common.provenance import provenance
from keras_fusion.export.reading import INPUTS, LABELS, NOT_INPUTS
from keras_fusion.export.signatures import input_names


def write(
    model: keras.Model,
    folder: Path,
    labels: list[str] | None,
    columns: dict[str, list[str]],
    not_inputs: dict | None,
) -> None:
    """Writes what readers of the version need to know of its inputs and classes.

    Args:
        model: The one that is exported.
        folder: Of the version.
        labels, columns, not_inputs: As for `export`.
    """
    inputs = {
        name: {"shape": x.shape[1:], "columns": columns.get(name)}
        for name, x in model.input.items()
        if name != MASK
    }
    optional = {LABELS: labels, NOT_INPUTS: not_inputs}
    assets = {file: x for file, x in optional.items() if x is not None}
    assets[INPUTS] = inputs
    for file, value in assets.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(json.dumps(value), encoding="utf-8")


def facts(model: keras.Model) -> dict:
    """What the manifest says of a model and of where it was exported."""
    found = provenance()
    tensorflow = {"tensorflow": importlib.metadata.version("tensorflow")}
    return {
        "model": {"name": model.name, "parameters": model.count_params()},
        "backend": found["backend"],
        "versions": found["versions"] | tensorflow,
        "date": found["date"],
        "names": {safe: own for own, safe in input_names(model).items()},
    }
