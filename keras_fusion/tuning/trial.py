"""What is known of one trial when it has ended."""

import json
import statistics
import time
from pathlib import Path

import keras

from keras_fusion.experiments.batches import model_inputs
from keras_fusion.experiments.comparison import trained
from keras_fusion.experiments.recipe import Recipe, plain
from keras_fusion.experiments.tasks import task_of
from keras_fusion.experiments.training import validated_epochs
from keras_fusion.files import write_json

SUMMARY = "summary.json"
LOSS = "minus loss"
BATCH, REPEATS = 64, 20


def summary(
    recipe: Recipe, data: dict, folder: Path, records: list[dict], epochs: int
) -> dict:
    """A trial that completed.

    Args:
        recipe: What was trained.
        data: By seed.
        folder: Of the trial.
        records: From `training.fit`, in the order of `data`.
        epochs: Of a training to the end.

    Returns:
        `status`, `reason` (None), `metric`, `scores` by seed, their mean `score` and
        `spread` (standard deviation, None of one), `seconds` of training, `parameters`,
        `latency` (median milliseconds of a prediction for up to 64 rows), a learning
        `curve` of the first seed, the `epochs` it was trained for, and the `recipe`
        to train it again, to the end of the search's `epochs`.
    """
    seed, first = next(iter(data.items()))
    model = trained(recipe, first, folder / f"seed-{seed}")
    watched = task_of(first).watched
    trained_for = recipe.training.epochs
    scores = [record["validation"] for record in records]
    return {
        "status": "completed",
        "reason": None,
        "metric": watched(2).name if watched else LOSS,
        "scores": scores,
        "score": statistics.fmean(scores),
        "spread": statistics.stdev(scores) if len(scores) > 1 else None,
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "parameters": records[0]["parameters"],
        "latency": round(_latency(model, first.validation), 3),
        "epochs": trained_for,
        "curve": _curve(records[0]["history"], trained_for),
        "recipe": {
            "builder": recipe.builder,
            "arguments": recipe.arguments,
            "training": plain(recipe)["training"] | {"epochs": epochs},
        },
    }


def failure(reason: str, seconds: float) -> dict:
    """A trial that failed."""
    nothing = ("metric", "score", "spread", "parameters", "latency", "epochs", "recipe")
    return {
        "status": "failed",
        "reason": reason,
        "scores": [],
        "seconds": round(seconds, 3),
        "curve": {},
        **dict.fromkeys(nothing),
    }


def write(folder: Path, trial, outcome: dict) -> None:
    """Writes how one of keras-tuner's trials ended, with its active values."""
    values = {k: _short(v) for k, v in _active(trial.hyperparameters)}
    named = {"trial": trial.trial_id, "values": values} | outcome
    write_json(folder_of(folder, trial.trial_id) / SUMMARY, named)


def _active(hyperparameters):
    """Names and values; on the wire inactive ones get defaults."""
    known = {hp.name for hp in hyperparameters.space}
    for name, value in hyperparameters.values.items():
        if name not in known or hyperparameters.is_active(name):
            yield name, value


def read(folder: Path, name: str) -> dict:
    """What `write` wrote of the trial of this name."""
    return json.loads((folder_of(folder, name) / SUMMARY).read_text())


def summaries(folder: Path) -> list[dict]:
    """The trials that ended in a search's folder, by their names."""
    files = sorted(folder.glob(f"trials/*/{SUMMARY}"))
    return [json.loads(file.read_text()) for file in files]


def folder_of(folder: Path, name: str) -> Path:
    """Where a trial is; one that trains again, for longer, has another name."""
    return folder / "trials" / name


def _curve(history, epochs):
    """Loss and score at the epochs that were validated, to four digits."""
    at = validated_epochs(epochs)
    (score,) = [k for k in history if k.startswith("val_") and k != "val_loss"] or [
        "val_loss"
    ]
    return {
        "epoch": at,
        "loss": [_short(history["loss"][epoch - 1]) for epoch in at],
        "validation": [_short(value) for value in history[score]],
    }


def _short(value):
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _latency(model: keras.Model, split) -> float:
    rows = {name: x[:BATCH] for name, x in model_inputs(model, split.inputs).items()}
    model.predict_on_batch(rows)  # compiles
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        model.predict_on_batch(rows)
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)
