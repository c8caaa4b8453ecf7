"""What is known of one trial when it has ended."""

import statistics
import time

import keras

from keras_fusion.batches import model_inputs
from keras_fusion.comparison import trained

BATCH, REPEATS = 64, 20


def summary(recipe: dict, data: dict, folder, records: list[dict]) -> dict:
    """A trial that completed.

    Returns:
        `status`, `scores` by seed, `seconds` of training, `parameters`, `latency`
        (median milliseconds of a prediction for up to 64 rows), `history` of the first
        seed, `reason` (None), and the `recipe` to train it again.
    """
    seed, first = next(iter(data.items()))
    model = trained(recipe, first, folder / f"seed-{seed}")
    return {
        "status": "completed",
        "reason": None,
        "scores": [record["validation"] for record in records],
        "seconds": sum(record["seconds"] for record in records),
        "parameters": records[0]["parameters"],
        "latency": _latency(model, first.validation),
        "history": records[0]["history"],
        "recipe": {k: recipe[k] for k in ("builder", "arguments", "training")},
    }


def failure(message: str | None, seconds: float) -> dict:
    """A trial that failed; the last line of its traceback is the reason."""
    lines = (message or "").strip().splitlines() or ["its scores are no numbers"]
    return {
        "status": "failed",
        "reason": lines[-1],
        "scores": [],
        "seconds": seconds,
        "parameters": None,
        "latency": None,
        "history": {},
        "recipe": None,
    }


def _latency(model: keras.Model, split) -> float:
    rows = {name: x[:BATCH] for name, x in model_inputs(model, split.inputs).items()}
    model.predict_on_batch(rows)  # compiles
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        model.predict_on_batch(rows)
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)
