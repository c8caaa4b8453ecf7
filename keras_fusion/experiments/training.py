"""One training run: reproducible by seed, resumed after a kill, whole or not at all."""

import contextlib
import functools
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import IGNORED
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import hosts, variants
from keras_fusion.experiments import record as records
from keras_fusion.experiments.checkpoint import require_same
from keras_fusion.experiments.devices import data_parallel
from keras_fusion.experiments.identity import identity_of
from keras_fusion.experiments.precision import policy
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.recomputation import recomputing
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.single_run import SingleRun


def fit(
    recipe: Recipe,
    data: Dataset,
    seed: int,
    folder: Path,
    *,
    precision: str = "float32",
    devices: int = 1,
    verbose: int = 0,
    checkpoint_every: float = 10.0,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    teacher: np.ndarray | None = None,
) -> Record:
    """Trains the recipe's model, or goes on with it, or finds it done.

    With `patience` the learning rate is constant, and the weights kept are those that
    validated best, of equal ones those of the smallest loss. Without it the rate falls
    to zero along a cosine, and the weights kept are the last.

    Args:
        recipe: From `recipes.read`.
        data: The recipe's data set as split by `seed`.
        seed: Of initial weights, batches and dropout.
        folder: Gets `model.weights.h5`, `fit.json` and `training.keras`, a compiled
            model with its moments that `fit` goes on from on any backend; and a
            checkpoint on the way.
        precision: Keras dtype policy.
        devices: Which share each batch; see `devices.data_parallel`. Of several hosts
            (`hosts.join`) all have to see the folder, which the first writes to.
        verbose: As in `keras.Model.fit`.
        checkpoint_every: Seconds between checkpoints.
        callbacks: Further ones; they see an epoch after its checkpoint.
        teacher: Outputs `(B, K)` of another model for the training rows, which the
            model learns beside their labels; see `targets.taught`.

    Returns:
        The record in `fit.json`.

    Raises:
        ValueError: If the folder holds another run, if another process is at work
            there, if a label is out of range, or if the loss is no finite number in
            the end.
    """
    identity = identity_of(recipe, data, seed, precision, teacher)
    if done := _done(folder, identity):
        return done
    _check_labels(data)
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    # Rows without some modality need the mask; it makes no other weights.
    build = functools.partial(variants.build, recipe, data, modality_mask=True)
    with contextlib.ExitStack() as lock:
        with data_parallel(devices), policy(precision):
            model = recomputing(build) if recipe.training.recompute else build()
            # After the model, whose arguments may be wrong, and before the work.
            lock.enter_context(hosts.writing_in(folder))
            if done := _done(folder, identity):
                return done
            run = SingleRun(
                model, recipe, data, folder, identity, checkpoint_every, teacher
            )
            run.fit(callbacks, verbose)
            if hosts.count() == 1:
                return run.finish()
        with policy(precision):
            run.leave_the_others(build())
        if hosts.is_first():
            run.finish()
    hosts.wait(f"{folder} is done")
    return _done(folder, identity)


def _done(folder, identity):
    """The record of a run that came to its end, None of another."""
    done = records.read(folder)
    if done:
        require_same(folder, done.identity, identity)
    return done


def _check_labels(data):
    highest = max(1, data.classes - 1)  # of one class, the foreground: 1
    for part in (data.train, data.validation):
        known = [*range(highest + 1), *([IGNORED] if part.labels.ndim == 3 else [])]
        if data.class_names and not np.isin(part.labels, known).all():
            raise InputError(
                f"{data.name}: labels must be 0 to {highest}; received "
                f"{part.labels.min()} to {part.labels.max()}."
            )
