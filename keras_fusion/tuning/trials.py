"""One trial: a point of the space, trained and judged on validation."""

import contextlib
import dataclasses
import logging
import statistics
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from keras_fusion.common.files import alone_in, whole, write_json
from keras_fusion.datasets import Dataset, Split
from keras_fusion.experiments import comparison, schema, single_run, training
from keras_fusion.experiments.batches import model_inputs
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.recipes import Recipe, plain
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.runs import COMPILER_CACHE
from keras_fusion.experiments.tasks import task_of
from keras_fusion.tuning.results import Curve, Trial
from keras_fusion.tuning.storage import Kept

LOGGER = logging.getLogger(__name__)
SUMMARY, OUTPUTS = "summary.json", "validation.npy"
LOSS = "minus loss"
BATCH = 64  # rows that are predicted at once
STOPPED = Trial(status="stopped")
DYING = 60.0  # seconds that the process of a killed search may still be at work


@dataclasses.dataclass(frozen=True)
class Task:
    """What a process has to know to train a trial.

    Attributes:
        recipe: Of the trial, with the epochs that it trains for.
        epochs: Of a training to the end.
        modality: The only one that it sees; None is all.
        folder: Of the search.
        name: Of the trial.
        until: When it has to stop, by `time.time()`.
        storage: Address where the trial is kept; None keeps it in `folder`.
    """

    recipe: Recipe
    epochs: int
    modality: str | None
    folder: Path
    name: str
    until: float | None = None
    storage: str | None = None


def run(task: Task, *data: Dataset) -> Trial:
    """Trains a trial, goes on with it, or finds it done.

    Args:
        task: What to do.
        *data: One for each of the recipe's seeds.

    Returns:
        `completed`, `failure` or `STOPPED`, where the time was over before its end.

    Raises:
        OSError: If a file could not be written: the next trial could not mend that.
    """
    began = time.perf_counter()
    if task.modality:
        data = [own.only(task.modality) for own in data]
    seeded = dict(zip(task.recipe.training.seeds, data))
    watches = [_Deadline(task.until)] if task.until else []
    try:
        with _workplace(task) as (folder, kept):
            records = [
                training.fit(
                    task.recipe, d, s, folder / f"seed-{s}", callbacks=[*kept, *watches]
                )
                for s, d in seeded.items()
            ]
            seconds = time.perf_counter() - began
            return completed(task, seeded, folder, records, seconds)
    except _OutOfTimeError:
        return STOPPED
    except OSError:
        raise
    except Exception as error:
        LOGGER.debug("trial %s failed", task.name, exc_info=True)
        return failure(_reason(error), time.perf_counter() - began)


@contextlib.contextmanager
def _workplace(task):
    """The folder that a trial is trained in, and callbacks that keep it elsewhere."""
    if task.storage is None:
        keep_compiled(task.folder / COMPILER_CACHE)
        folder = folder_of(task.folder, task.name)
        with alone_in(folder, DYING):
            yield folder, []
        return
    with tempfile.TemporaryDirectory() as name:
        kept = Kept(task.storage, Path(name))
        kept.fetch()
        yield Path(name), [kept]
        kept.send()


class _OutOfTimeError(Exception):
    pass


class _Deadline(keras.callbacks.Callback):
    def __init__(self, until):
        super().__init__()
        # From here on, nobody who sets the clock moves it.
        self.until = time.monotonic() + until - time.time()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() > self.until:
            raise _OutOfTimeError


def completed(
    task: Task, data: dict, folder: Path, records: list[Record], seconds: float
) -> Trial:
    """What is known of a trial that came to its end.

    Args:
        task: What was done.
        data: By seed.
        folder: That the trial was trained in.
        records: From `training.fit`, in the order of `data`.
        seconds: What this call took so far.
    """
    seed, first = next(iter(data.items()))
    model = comparison.trained(task.recipe, first, folder / f"seed-{seed}")
    began = time.perf_counter()
    outputs, latency = predicted(model, first.validation)
    with whole(folder / OUTPUTS) as path:
        with path.open("wb") as file:
            np.save(file, outputs)
    seconds += time.perf_counter() - began
    watched = task_of(first).watched
    scores = [record.validation for record in records]
    fitting = sum(record.seconds for record in records)
    return Trial(
        status="completed",
        metric=watched(2).name if watched else LOSS,
        scores=scores,
        score=statistics.fmean(scores),
        spread=statistics.stdev(scores) if len(scores) > 1 else None,
        seconds=round(max(seconds, fitting), 3),
        training=round(fitting, 3),
        parameters=records[0].parameters,
        latency=round(1e3 * latency, 3),
        epochs=records[0].epochs,
        best_epoch=records[0].best_epoch,
        finished=task.recipe.training.epochs == task.epochs,
        curve=_curve(records[0].history),
        recipe={
            "builder": task.recipe.builder,
            "arguments": task.recipe.arguments,
            "training": plain(task.recipe)["training"] | {"epochs": task.epochs},
        },
    )


def failure(reason: str, seconds: float) -> Trial:
    """A trial that failed."""
    return Trial(status="failed", reason=reason, seconds=round(seconds, 3))


def write(folder: Path, name: str, values: dict, outcome: Trial) -> Trial:
    """Writes how a trial ended, with its active values; returns what it wrote."""
    values = {k: _short(v) for k, v in values.items()}
    ended = dataclasses.replace(outcome, trial=name, values=values)
    write_json(folder_of(folder, name) / SUMMARY, dataclasses.asdict(ended))
    return ended


def summaries(folder: Path) -> list[Trial]:
    """The trials that ended in a search's folder, by their names."""
    files = sorted(folder.glob(f"trials/*/{SUMMARY}"))
    return [schema.read_json(Trial, file) for file in files]


def folder_of(folder: Path, name: str) -> Path:
    """Where a trial is; one that trains again, for longer, has another name."""
    return folder / "trials" / name


def predicted(model: keras.Model, split: Split) -> tuple[np.ndarray, float]:
    """Outputs of a model, and the seconds of a prediction of up to 64 rows.

    All batches have one shape, so that only the first call compiles.
    """
    inputs, count = model_inputs(model, split.inputs), len(split.labels)
    outputs, times = [], []
    for start in range(0, count, BATCH):
        rows = np.arange(start, start + BATCH).clip(max=count - 1)
        began = time.perf_counter()
        found = model.predict_on_batch({name: x[rows] for name, x in inputs.items()})
        times.append(time.perf_counter() - began)
        outputs.append(found)
    return np.concatenate(outputs)[:count], statistics.median(times[1:] or times)


def _reason(error):
    """Type and first line: Keras tells of all the call's arguments in the others."""
    lines = str(error).split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def _curve(history):
    """Loss and score at the epochs that were validated, to four digits."""
    names = [k for k in history if k.startswith("val_") and k != "val_loss"]
    scores = history[names[0] if names else "val_loss"]
    epochs = len(history["loss"])
    at = (
        single_run.validated_epochs(epochs)
        if len(scores) < epochs
        else [*range(1, epochs + 1)]
    )
    return Curve(
        epoch=at,
        loss=[_short(history["loss"][epoch - 1]) for epoch in at],
        validation=[_short(value) for value in scores],
    )


def _short(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value
