"""One training run: reproducible by seed, resumed after a kill, whole or not at all."""

import functools
import math
import time
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from keras_fusion.batching import prediction_batch
from keras_fusion.datasets import Dataset
from keras_fusion.errors import InputError
from keras_fusion.experiments import fine_tuning, ridge_share, targets, variants
from keras_fusion.experiments import record as records
from keras_fusion.experiments.batches import Batches, in_order
from keras_fusion.experiments.checkpoint import Checkpoint, require_same
from keras_fusion.experiments.class_weights import class_weights
from keras_fusion.experiments.compilation import fast_settings
from keras_fusion.experiments.confidence import settle
from keras_fusion.experiments.devices import check_shared, data_parallel, replicas
from keras_fusion.experiments.identity import identity_of
from keras_fusion.experiments.precision import policy
from keras_fusion.experiments.recipe import Recipe
from keras_fusion.experiments.recomputation import recomputing
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.stopping import EarlyStopping
from keras_fusion.experiments.tasks import task_of, taught
from keras_fusion.experiments.watching import Watch
from keras_fusion.export import portable
from keras_fusion.files import alone_in
from keras_fusion.names import IGNORED
from keras_fusion.provenance import computed_on

WEIGHTS = "model.weights.h5"
COMPILED = "training.keras"
VALIDATIONS = 20


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
        recipe: From `recipe.read`.
        data: The recipe's data set as split by `seed`.
        seed: Of initial weights, batches and dropout.
        folder: Gets `model.weights.h5`, `fit.json` and `training.keras`, a compiled
            model with its moments that `fit` goes on from on any backend; and a
            checkpoint on the way.
        precision: Keras dtype policy.
        devices: Of this machine, which share each batch; see `devices.data_parallel`.
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
    with data_parallel(devices):
        with policy(precision):
            # Rows without some modality need the mask; it makes no other weights.
            build = functools.partial(variants.build, recipe, data, modality_mask=True)
            model = recomputing(build) if recipe.training.recompute else build()
        with alone_in(folder):  # fails before the work, not after
            return _done(folder, identity) or _train(
                model,
                recipe,
                data,
                folder,
                identity,
                verbose=verbose,
                checkpoint_every=checkpoint_every,
                callbacks=callbacks,
                teacher=teacher,
            )


def _done(folder, identity):
    """The record of a run that came to its end, None of another."""
    done = records.read(folder)
    if done:
        require_same(folder, done.identity, identity)
    return done


def _train(
    model,
    recipe,
    data,
    folder,
    identity,
    *,
    verbose,
    checkpoint_every,
    callbacks,
    teacher,
):
    seed, task, settings = identity["seed"], task_of(data), recipe.training
    check_shared(data, settings.batch_size, settings.batch_parts)
    weights = class_weights(data, settings.class_weight)
    train, validation = (
        targets.standardized(data, x) for x in (data.train, data.validation)
    )
    at = validated_epochs(settings.epochs, settings.patience)
    watch = Watch(recipe.metric, task, validation, at)
    if teacher is not None:
        task = taught(task)
        train, validation = targets.taught(data, train, validation, teacher)
    classes = data.train.labels
    batches = Batches(
        train,
        model,
        settings.batch_size,
        seed,
        weights,
        classes,
        settings.batch_parts,
    )
    stages = fine_tuning.stages(recipe)
    stopping = None
    if settings.patience:
        stopping = EarlyStopping(watch, settings.patience, stages[-1][0])
    checkpoint = Checkpoint(
        folder / "checkpoint.npz", identity, checkpoint_every, stopping
    )

    def begin(epoch, logs=None):
        batches.epoch = epoch
        _seed_torch(seed, epoch)

    started = time.perf_counter()
    first, epoch = checkpoint.begun()
    for checkpoint.stage in range(first, len(stages)):
        start, end = stages[checkpoint.stage]
        fine_tuning.freeze(recipe, model, start)
        _compile(model, recipe, start, len(batches), task, data.classes)
        if checkpoint.stage == first:
            checkpoint.restore(model)
        over = stopping is not None and stopping.is_over(epoch)
        model.fit(
            batches,
            validation_data=in_order(model, validation),
            validation_batch_size=prediction_batch(validation.inputs),
            validation_freq=at,
            epochs=epoch if over else end,
            initial_epoch=epoch,
            callbacks=[
                keras.callbacks.LambdaCallback(on_epoch_begin=begin),
                watch,
                *([stopping] if stopping else []),
                checkpoint,
                *callbacks,
            ],
            shuffle=False,
            verbose=verbose,
        )
        epoch = end
    if not math.isfinite(checkpoint.history["val_loss"][-1]):
        raise InputError(
            f"The run in {folder} ends with a validation loss of "
            f"{checkpoint.history['val_loss'][-1]}: try a lower learning_rate."
        )
    if stopping:
        stopping.restore_best()
    blended = ridge_share.settle(model, recipe, data, train, validation)
    targets.restore(model, data)
    confidence = settle(model, data, settings)
    # A model of the same layers without optimizer: its state would triple the file.
    plain = keras.Model(model.input, model.output, name=model.name)
    portable.save_weights(plain, folder / WEIGHTS)
    later = fine_tuning.for_later(recipe, model)
    if later is not model.optimizer:
        model.compile(later, **_judged_by(task, data.classes))
    portable.save(model, folder / COMPILED)
    if stopping:
        validated = stopping.best_score
    else:
        validated = watch.of(checkpoint.history[watch.key][-1])
    done = Record(
        name=recipe.name,
        identity=identity,
        metric=watch.name,
        validation=blended.get("validation", validated),
        epochs=len(checkpoint.history["loss"]),
        best_epoch=stopping.best_epoch + 1 if stopping else None,
        seconds=checkpoint.seconds + time.perf_counter() - started,
        parameters=model.count_params(),
        history=checkpoint.history,
        network_share=blended.get("network_share"),
        **confidence,
        scale={m: scale.kind for m, scale in data.statistics.items()},
        computed_on=computed_on(),
    )
    done.write(folder)
    checkpoint.path.unlink(missing_ok=True)
    return done


def _seed_torch(seed, epoch):
    """Keras' Dropout draws from torch's own generator, which no checkpoint holds."""
    if keras.backend.backend() == "torch":
        import torch

        sequence = np.random.SeedSequence([seed, epoch])
        torch.manual_seed(int(sequence.generate_state(1)[0]))


def _check_labels(data):
    highest = max(1, data.classes - 1)  # of one class, the foreground: 1
    for part in (data.train, data.validation):
        known = [*range(highest + 1), *([IGNORED] if part.labels.ndim == 3 else [])]
        if data.class_names and not np.isin(part.labels, known).all():
            raise InputError(
                f"{data.name}: labels must be 0 to {highest}; received "
                f"{part.labels.min()} to {part.labels.max()}."
            )


def validated_epochs(epochs: int, patience: int = 0) -> list[int]:
    """Some epochs and the last: on small data validating takes as long as training.

    With `patience` all of them are validated.
    """
    step = 1 if patience else max(1, epochs // VALIDATIONS)
    return sorted({*range(step, epochs + 1, step), epochs})


def _compile(model, recipe, epoch, steps, task, classes):
    settings = recipe.training

    def rate(value):
        if settings.patience:
            return value
        parts = settings.batch_parts
        falling = fine_tuning.falling(epoch, settings.epochs, steps // parts, parts)
        return falling(value)

    model.compile(
        optimizer=fine_tuning.optimizer(recipe, model, rate),
        **_judged_by(task, classes),
        **fast_settings(steps),
    )


def _judged_by(task, classes):
    # Rows that only fill up a batch for several devices have no weight.
    metrics = "metrics" if replicas() == 1 else "weighted_metrics"
    return {"loss": task.loss(), metrics: [task.watched(classes)]}
