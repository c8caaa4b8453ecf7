"""Some raw rows that training leaves beside its model, and what it answered to them."""

from pathlib import Path

import numpy as np

from keras_fusion.common.errors import InputError, first_line
from keras_fusion.common.names import EACH_LABEL, RISK, SURVIVAL
from keras_fusion.experiments.batches import model_inputs

SAMPLES = "samples.npz"


def samples(path: str | Path) -> dict[str, np.ndarray] | None:
    """The raw rows that `train` left beside a `.keras` file, None where there are none.

    Returns:
        `(B, ...)` arrays by modality, NaN where something is missing.
    """
    beside = Path(path).with_name(SAMPLES)
    if not beside.is_file():
        return None
    return _of_kind(beside, "inputs/")


def answered(model, data) -> dict[str, np.ndarray]:
    """What a trained model answers to `data.samples`, as `SAMPLES` keeps it.

    It takes them standardized, as in training: an export that standardizes in another
    way is found out.
    """
    rows = len(next(iter(data.samples.values()), []))
    if not rows:
        return {}
    some = {name: x[:rows] for name, x in data.validation.inputs.items()}
    inputs = model_inputs(model, some, data.validation.modality_mask[:rows])
    found = model.predict(inputs, verbose=0)
    if data.task == SURVIVAL:
        later = np.cumsum(found[:, ::-1], axis=1)[:, ::-1]
        return {f"outputs/{SURVIVAL}": later[:, 1:]}
    names = {"multilabel": EACH_LABEL, "regression": "predictions", RISK: RISK}
    return {f"outputs/{names.get(data.task, 'probabilities')}": found}


def trained(path: str | Path) -> dict[str, np.ndarray] | None:
    """What the model of a `.keras` file answered to `samples` when it was trained."""
    beside = Path(path).with_name(SAMPLES)
    return (_of_kind(beside, "outputs/") if beside.is_file() else None) or None


def _of_kind(file, kind):
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = {key: x for key, x in arrays.items() if key.startswith(kind)}
    except Exception as error:  # numpy, zipfile and zlib raise many kinds
        raise InputError(f"{file} is broken: {first_line(error)}") from error
    return {key.removeprefix(kind): x for key, x in found.items()}
