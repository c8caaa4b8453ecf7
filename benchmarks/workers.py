"""Trials an hour of a search by two workers, against one.

    python -m benchmarks.workers

Every worker has one thread. Both sides run the same random trials of a FusionClassifier
with three inputs as wide as those of leaves100, on noise, from the start of their
processes to the last trial. They take turns, so that whatever slows the machine for a
while slows both; leave two processors to it.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import main, target

WIDTHS = {"shape": 64, "margin": 64, "texture": 64}
CLASSES = 100
ONE, TWO = "one worker", "two workers"
THREADS = (
    *("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    *("NPROC", "PJRT_NPROC"),  # of XLA
)
SEARCH = """
dataset = "npz:{data}"

[training]
epochs = {epochs}

[search]
tuner = "random"
trials = {trials}
"""


def measure(arguments) -> list[dict]:
    """The row of this process' backend; milliseconds are those of a trial."""
    trials, epochs, rounds = (2, 1, 1) if arguments.quick else (16, 15, 3)
    os.environ |= dict.fromkeys(THREADS, "1")  # of the workers
    counts, times = {ONE: 1, TWO: 2}, {ONE: [], TWO: []}
    with tempfile.TemporaryDirectory() as folder:
        search = _search(Path(folder), trials, epochs)
        for i in range(rounds):
            for name in (ONE, TWO) if i % 2 else (TWO, ONE):
                runs = Path(folder) / f"{name} {i}"
                times[name].append(_seconds(search, runs, counts[name]) / trials)
    gain = statistics.median(a / b for a, b in zip(times[ONE], times[TWO]))
    seconds = {name: statistics.median(t) for name, t in times.items()}
    return [
        {
            "case": f"{trials} trials of {epochs} epochs, {rounds} rounds",
            "ms": {name: round(1e3 * s, 1) for name, s in seconds.items()},
            "trials an hour": {name: round(3600 / s) for name, s in seconds.items()},
            "ratios": {f"{TWO} / {ONE}": target(gain, at_least=1.5)},
        }
    ]


def _search(folder, trials, epochs):
    from keras_fusion import tuning

    rng = np.random.default_rng(0)
    labels = np.arange(20 * CLASSES) % CLASSES
    inputs = {n: rng.normal(size=(len(labels), w)) for n, w in WIDTHS.items()}
    np.savez(folder / "data.npz", y=labels, **inputs)
    text = SEARCH.format(data=folder / "data.npz", epochs=epochs, trials=trials)
    (folder / "search.toml").write_text(text)
    return tuning.read(str(folder))


def _seconds(search, folder, workers):
    from keras_fusion import tuning

    started = time.perf_counter()
    found = tuning.search(search, folder, workers=workers)
    failed = [trial["reason"] for trial in found if trial["status"] == "failed"]
    if failed:
        raise RuntimeError(f"{len(failed)} trials failed; the first: {failed[0]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main("workers", measure)
