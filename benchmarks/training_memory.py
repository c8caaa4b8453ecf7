"""Peak memory of a training step: as it is, in parts, with recomputed operators.

    python -m benchmarks.training_memory

The model has two modalities of tokens and blocks of joint attention, whose maps of
weights and hidden layers take far more room than the weights. Each case is measured in
a process of its own, by `benchmarks.memory`: what a second step adds to the process.
Linux only.
"""

import multiprocessing
import os
import statistics
import time

import numpy as np

from benchmarks.memory import peak_and_added
from benchmarks.report import main, target

BASE, BOTH = "whole batch", "both"
CASES = {  # parts of a batch, and whether operators are recomputed
    BASE: (1, False),
    "4 parts": (4, False),
    "recomputed": (1, True),
    BOTH: (4, True),
}
CLASSES, WIDTH = 3, 32


def measure(arguments) -> list[dict]:
    """The row of this process' backend; milliseconds are those of a whole batch."""
    batch, tokens, depth = (8, 16, 2) if arguments.quick else (64, 128, 4)
    # With it TensorFlow keeps what is freed, and a second call adds nothing.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    how = {n: CASES[n] for n in (BASE, BOTH)} if arguments.quick else CASES
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1, maxtasksperchild=1) as pool:
        cases = [(batch, tokens, depth, *x) for x in how.values()]
        found = dict(zip(how, pool.starmap(step, cases, chunksize=1)))
    added = {name: mb for name, (mb, _) in found.items()}
    return [
        {
            "case": f"B={batch}, 2 x {tokens} tokens, {depth} JointAttention",
            "ms": {name: round(1e3 * s, 1) for name, (_, s) in found.items()},
            "mb": {name: round(mb, 1) for name, mb in added.items()},
            "ratios": {
                f"{name} / {BASE}": target(added[name] / added[BASE])
                for name in how
                if name != BASE
            },
        }
    ]


def step(
    batch: int, tokens: int, depth: int, parts: int, recompute: bool
) -> tuple[float, float]:
    """MB that a step on a whole batch adds, and its seconds."""
    model, rows = _model(tokens, depth, recompute), batch // parts
    _compile(model, parts)
    rng = np.random.default_rng(0)
    inputs = {n: rng.normal(size=(batch, tokens, WIDTH)) for n in model.input}
    inputs = {name: x.astype("float32") for name, x in inputs.items()}
    labels = np.arange(batch) % CLASSES

    def work():
        for i in range(0, batch, rows):
            part = {name: x[i : i + rows] for name, x in inputs.items()}
            model.train_on_batch(part, labels[i : i + rows])

    _, added = peak_and_added(work)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return added, statistics.median(times)


def _model(tokens, depth, recompute):
    from keras_fusion import zoo
    from keras_fusion.experiments.recomputation import recomputing

    def build():
        return zoo.FusionClassifier(
            {"first": (tokens, WIDTH), "second": (tokens, WIDTH)},
            CLASSES,
            fusion={"class_name": "JointAttention", "config": {"num_heads": 4}},
            encoder_depth=0,
            depth=depth,
            units=64,
            dropout=0.1,
        )

    return recomputing(build) if recompute else build()


def _compile(model, parts):
    import keras

    from keras_fusion.experiments.compilation import fast_settings

    steps = {"gradient_accumulation_steps": parts} if parts > 1 else {}
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(keras.optimizers.AdamW(**steps), loss, **fast_settings(1))


if __name__ == "__main__":
    main("training_memory", measure)
