"""One run: what trains, stage by stage, and what is written when it has."""

import math
import time
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.errors import InputError
from keras_fusion.common.provenance import computed_on
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import (
    fine_tuning,
    hosts,
    linear_share,
    survival_curves,
    targets,
    torchrun,
)
from keras_fusion.experiments.batches import Batches, in_order
from keras_fusion.experiments.checkpoint import Checkpoint, state_of
from keras_fusion.experiments.class_weights import class_weights
from keras_fusion.experiments.compilation import fast_settings
from keras_fusion.experiments.confidence import settle
from keras_fusion.experiments.devices import check_shared, replicas
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.stopping import EarlyStopping
from keras_fusion.experiments.tasks import task_of, taught
from keras_fusion.experiments.watching import Watch
from keras_fusion.export import portable

WEIGHTS = "model.weights.h5"
TRAINED = "training.keras"
VALIDATIONS = 20


class SingleRun:
    """Trains a model, or goes on with it, and writes what came of it.

    Args:
        model: As `variants.build` made it.
        recipe: Whose model it is.
        data: The recipe's data set, split.
        folder: Where the checkpoint lies, and what is written.
        identity: From `identity_of`.
        checkpoint_every: Seconds between checkpoints.
        teacher: As in `training.fit`.
    """

    def __init__(
        self,
        model: keras.Model,
        recipe: Recipe,
        data: Dataset,
        folder: Path,
        identity: dict,
        checkpoint_every: float,
        teacher: np.ndarray | None = None,
    ):
        settings = recipe.training
        check_shared(data, settings.batch_size, settings.batch_parts)
        self.model, self.recipe, self.data = model, recipe, data
        self.folder, self.identity = folder, identity
        self.task = task_of(data)
        train, validation = (
            targets.standardized(data, part) for part in (data.train, data.validation)
        )
        self.validated = validated_epochs(settings.epochs, settings.patience)
        self.watch = Watch(recipe.metric, self.task, data.validation, self.validated)
        shared = hosts.count() > 1 and keras.backend.backend() == "jax"
        if self.watch.score and shared:
            raise InputError(
                f"Several hosts cannot score {self.watch.name} on JAX: say metric = "
                '"loss".'
            )
        if teacher is not None:
            self.task = taught(self.task)
            train, validation = targets.taught(data, train, validation, teacher)
        self.train, self.validation = train, validation
        self.batches = Batches(
            train,
            model,
            settings.batch_size,
            identity["seed"],
            class_weights(data, settings.class_weight),
            data.train.labels,
            settings.batch_parts,
        )
        self.stages = fine_tuning.stages(recipe)
        self.stopping = None
        if settings.patience:
            last = self.stages[-1][0]
            self.stopping = EarlyStopping(self.watch, settings.patience, last)
        self.checkpoint = Checkpoint(
            folder / "checkpoint.npz", identity, checkpoint_every, self.stopping
        )

    def fit(
        self, callbacks: Iterable[keras.callbacks.Callback] = (), verbose: int = 0
    ) -> None:
        """Trains from where the checkpoint was left, stage by stage.

        Raises:
            InputError: If the loss is no finite number in the end.
        """
        self.started, self.verbose = time.perf_counter(), verbose
        callbacks = [
            keras.callbacks.LambdaCallback(on_epoch_begin=self._begin),
            self.watch,
            *([self.stopping] if self.stopping else []),
            *([torchrun.OneState()] if torchrun.count() > 1 else []),
            self.checkpoint,
            *callbacks,
        ]
        first, epoch = self.checkpoint.begun()
        for stage in range(first, len(self.stages)):
            self.checkpoint.stage = stage
            start, end = self.stages[stage]
            fine_tuning.freeze(self.recipe, self.model, start)
            self._compile(start)
            if stage == first:
                self.checkpoint.restore(self.model)
            over = self.stopping is not None and self.stopping.is_over(epoch)
            self.model.fit(
                self.batches,
                validation_data=in_order(self.model, self.validation),
                validation_batch_size=prediction_batch(self.validation.inputs),
                validation_freq=self.validated,
                epochs=epoch if over else end,
                initial_epoch=epoch,
                callbacks=callbacks,
                shuffle=False,
                verbose=verbose,
            )
            epoch = end
        loss = self.checkpoint.history["val_loss"][-1]
        if not math.isfinite(loss):
            raise InputError(
                f"The run in {self.folder} ends with a validation loss of {loss}: try "
                "a lower learning_rate."
            )

    def leave_the_others(self, model: keras.Model) -> None:
        """Goes on with `model`, of the same layers, on this host alone."""
        state = [keras.ops.convert_to_numpy(v) for v in state_of(self.model)]
        self.model = model
        start, _ = self.stages[-1]
        fine_tuning.freeze(self.recipe, model, start)
        self._compile(start)
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(state_of(model), state, strict=True):
            variable.assign(value)
        if self.stopping:
            self.stopping.set_model(model)

    def finish(self) -> Record:
        """Keeps the best weights, settles what stands on them, and writes all of it."""
        model, data = self.model, self.data
        if self.stopping:
            self.stopping.restore_best()
        blended = linear_share.settle(
            model, self.recipe, data, self.train, self.validation, self.verbose
        )
        targets.restore(model, data)
        if blended:
            blended["validation"] = self.watch.judged()
        confidence = settle(model, data, self.recipe.training)
        confidence |= survival_curves.settle(model, data)
        self._save()
        done = self._record(blended, confidence)
        done.write(self.folder)
        self.checkpoint.path.unlink(missing_ok=True)
        return done

    def _begin(self, epoch, logs=None):
        self.batches.epoch = epoch
        _seed_torch(self.identity["seed"], epoch)

    def _compile(self, start):
        settings, steps = self.recipe.training, len(self.batches)
        if torchrun.count() > 1:
            torchrun.begin(self.model)

        def rate(value):
            if settings.patience:
                return value
            parts = settings.batch_parts
            falling = fine_tuning.falling(start, settings.epochs, steps // parts, parts)
            return falling(value)

        self.model.compile(
            optimizer=fine_tuning.optimizer(self.recipe, self.model, rate),
            **self._judged_by(),
            **fast_settings(steps),
        )

    def _judged_by(self):
        # Rows that only fill up a batch for several devices have no weight.
        metrics = "metrics" if replicas() == 1 else "weighted_metrics"
        watched = self.task.watched
        return {
            "loss": self.task.loss(),
            metrics: [watched(self.data.classes)] if watched else [],
        }

    def _save(self):
        model = self.model
        # A model of the same layers without optimizer: its state would triple the file.
        plain = keras.Model(model.input, model.output, name=model.name)
        portable.save_weights(plain, self.folder / WEIGHTS)
        later = fine_tuning.for_later(self.recipe, model)
        if later is not model.optimizer:
            model.compile(later, **self._judged_by())
        portable.save(model, self.folder / TRAINED)

    def _record(self, blended, confidence):
        history, stopping = self.checkpoint.history, self.stopping
        if stopping:
            validated = stopping.best_score
        else:
            validated = self.watch.of(history[self.watch.key][-1])
        return Record(
            name=self.recipe.name,
            identity=self.identity,
            metric=self.watch.name,
            epochs=len(history["loss"]),
            best_epoch=stopping.best_epoch + 1 if stopping else None,
            seconds=self.checkpoint.seconds + time.perf_counter() - self.started,
            parameters=self.model.count_params(),
            history=history,
            **({"validation": validated} | blended),
            **confidence,
            scale={m: scale.kind for m, scale in self.data.statistics.items()},
            computed_on=computed_on(),
        )


def validated_epochs(epochs: int, patience: int = 0) -> list[int]:
    """Some epochs and the last: on small data validating takes as long as training.

    With `patience` all of them are validated.
    """
    step = 1 if patience else max(1, epochs // VALIDATIONS)
    return sorted({*range(step, epochs + 1, step), epochs})


def _seed_torch(seed, epoch):
    """Keras' Dropout draws from torch's own generator, which no checkpoint holds."""
    if keras.backend.backend() == "torch":
        import torch

        sequence = np.random.SeedSequence([seed, epoch])
        torch.manual_seed(int(sequence.generate_state(1)[0]))
