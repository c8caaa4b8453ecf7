"""Everything that decides how a run goes, as JSON knows it."""

import dataclasses
import hashlib
import json

import keras
import numpy as np

from keras_fusion.datasets import Dataset
from keras_fusion.datasets.columns.read_rows import ReadRows
from keras_fusion.experiments import fine_tuning
from keras_fusion.experiments.recipes import Recipe


def identity_of(
    recipe: Recipe,
    data: Dataset,
    seed: int,
    precision: str,
    teacher: np.ndarray | None = None,
) -> dict:
    """What a folder of runs is asked for before a run there goes on.

    Args:
        recipe: Of the run.
        data: Its rows that train.
        seed: Of the run.
        precision: Keras dtype policy.
        teacher: As for `training.fit`.
    """
    digest = hashlib.sha256()
    for x in (*data.train.inputs.values(), data.train.labels):
        digest.update(
            x.fingerprint()
            if isinstance(x, ReadRows)
            else np.ascontiguousarray(x).view(np.uint8)
        )
    how = dataclasses.asdict(recipe.training)
    identity = {
        "builder": recipe.builder,
        "arguments": recipe.arguments,
        "metric": recipe.metric,
        "training": {k: v for k, v in how.items() if k != "seeds"},
        "modalities": list(data.input_shapes),
        "data": digest.hexdigest(),
        "seed": seed,
        "precision": precision,
        "backend": keras.backend.backend(),
    }
    if data.named_task:  # of which the labels alone do not tell
        identity["task"] = data.named_task
    if files := fine_tuning.fingerprints(recipe):
        identity["files"] = files
    if teacher is not None:
        content = np.ascontiguousarray(teacher).view(np.uint8)
        identity["teacher"] = hashlib.sha256(content).hexdigest()
    return json.loads(json.dumps(identity))
