"""Trials an hour of a search by two workers, against one.

    python -m benchmarks.workers

Every worker is a process of Ray's with one thread. Both sides run the same random
trials of a FusionClassifier with three inputs as wide as those of leaves100, on noise.
Time counts from the end of the first trial to that of the last. How long the first one
took, with the start of Ray and of the processes, stands beside. They take turns, so
that whatever slows the machine for a while slows both; leave two processors to it.
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
    "PJRT_NPROC",  # of JAX
)
SEARCH = """
dataset = "npz:{data}"
usual_baselines = false

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
    counts = {ONE: 1, TWO: 2}
    times, starts = ({ONE: [], TWO: []} for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        search = _search(Path(folder), trials, epochs)
        for i in range(rounds):
            for name in (ONE, TWO) if i % 2 else (TWO, ONE):
                runs = Path(folder) / f"{name} {i}"
                start, rest = _seconds(search, runs, counts[name])
                starts[name].append(start)
                times[name].append(rest / (trials - 1))
    gain = statistics.median(a / b for a, b in zip(times[ONE], times[TWO]))
    seconds = {name: statistics.median(t) for name, t in times.items()}
    return [
        {
            "case": f"{trials} trials of {epochs} epochs, {rounds} rounds",
            "ms": {name: round(1e3 * s, 1) for name, s in seconds.items()},
            "seconds to the first trial's end": {
                name: round(statistics.median(s), 1) for name, s in starts.items()
            },
            "trials an hour": {name: round(3600 / s) for name, s in seconds.items()},
            "ratios": {f"{TWO} / {ONE}": target(gain, at_least=1.6)},
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
    """Seconds of the start, until the first trial has ended, and of all that follow."""
    from keras_fusion import tuning

    ends, started = [], time.perf_counter()
    found = tuning.search(
        search, folder, lambda trial: ends.append(time.perf_counter()), workers=workers
    )
    failed = [trial.reason for trial in found if trial.status == "failed"]
    if failed:
        raise RuntimeError(f"{len(failed)} trials failed; the first: {failed[0]}")
    return ends[0] - started, ends[-1] - ends[0]


if __name__ == "__main__":
    main("workers", measure)
