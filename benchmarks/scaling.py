"""How cost grows with rows, modalities, tokens, trials and edges.

    python -m benchmarks.scaling

Each row of the table is one kind of work at growing sizes. `exponent` is the slope from
the last size but one to the last, of the logarithm of the time by that of the size: 0
where size costs nothing, 1 where time is linear, 2 where it is quadratic. Times are
those of this process' own processor, not of the clock, so that other programs on the
machine do little to them. Work that takes longer than a call may is not tried at larger
sizes.

- `train`, `predict`: a whole run of one epoch, and of the command from file to file.
- modalities, tokens: outputs of an operator and gradients for its inputs, for 8 samples
  with 4 tokens, and for 1 sample of two modalities.
- trials: what the driver of a search does for a trial, the training left out: of the
  last tenth of so many trials.
- edges: one batch of a sampled graph with ten edges to a node.
"""

import functools
import math
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from benchmarks.report import main, target

LONG = 2.0  # seconds of a call, after which no larger size is tried
WIDTH = 16
TUNERS = {"random": 1000, "hyperband": 1000, "bayesian": 100}
RECIPE = """
dataset = "npz:{data}"

[training]
epochs = 1
patience = 0
batch_size = 256
"""


def measure(arguments) -> list[dict]:
    """The rows of this process' backend; milliseconds by size."""
    from keras_fusion import layers

    quick, operators = arguments.quick, layers.operators()
    with tempfile.TemporaryDirectory() as folder:
        return [
            *rows(Path(folder), [300, 600] if quick else [10**n for n in range(3, 7)]),
            *modalities([2, 4] if quick else [2, 4, 8, 16, 32, 64], operators),
            *tokens([8, 16] if quick else [64, 256, 1024, 4096], operators),
            *trials(Path(folder), [10, 20] if quick else [10, 100, 1000]),
            *edges([10**3, 10**4] if quick else [10**n for n in range(3, 8)]),
        ]


def rows(folder: Path, sizes: list[int]) -> Iterable[dict]:
    """Seconds of a training and of a prediction, for so many rows."""
    from benchmarks.prediction import model_of, table_of
    from keras_fusion.experiments import prediction_parts, recipes, training

    path, _ = model_of(folder)

    def train(size):
        rng = np.random.default_rng(0)
        inputs = {m: rng.normal(size=(size, 8)).astype("float32") for m in "ab"}
        np.savez(folder / "data.npz", y=np.arange(size) % 3, **inputs)
        (folder / "recipe.toml").write_text(RECIPE.format(data=folder / "data.npz"))
        recipe = recipes.read(str(folder / "recipe.toml"))

        def run():
            data = recipes.load_data(recipe, 0)
            training.fit(recipe, data, 0, folder / f"run-{size}")

        return run

    def predict(size):
        file = table_of(folder / f"{size}.parquet", size)
        output = folder / f"{size}.out.parquet"
        return lambda: prediction_parts.write(path, file, output)

    for name, make in {"train": train, "predict": predict}.items():
        yield _row(f"{name}, rows", sizes, make, calls=1, at_most=1.1, long=math.inf)


def modalities(sizes: list[int], operators: dict) -> Iterable[dict]:
    """Seconds of each operator for so many modalities."""
    for name, operator in operators.items():
        make = functools.partial(_work, operator, batch=8, length=4)
        yield _row(f"{name}, modalities", sizes, make)


def tokens(sizes: list[int], operators: dict) -> Iterable[dict]:
    """Seconds of each operator on sets of tokens for so many in each modality."""
    for name, operator in operators.items():
        if operator.takes == "tokens":
            make = functools.partial(_work, operator, 2, 1)
            yield _row(f"{name}, tokens", sizes, make)


def _work(operator, count, batch, length):
    """Outputs and gradients of an operator, or None where it takes no such inputs."""
    from keras import ops

    from benchmarks import compiled

    op = operator(units=WIDTH)
    shape = (batch, length, WIDTH)
    try:
        op.check([shape] * count)
    except ValueError:
        return None
    query = {"query": ops.ones(shape)} if op.uses_query else {}
    rng = np.random.default_rng(0)
    inputs = [ops.cast(rng.normal(size=shape), "float32") for _ in range(count)]
    run = compiled.gradients(lambda *xs: op(list(xs), **query), *inputs, compiled=False)
    run()  # builds it
    return run


def trials(folder: Path, sizes: list[int]) -> Iterable[dict]:
    """Seconds of the driver of a search for one trial, after so many."""
    from keras_fusion.tuning import FusionHyperModel
    from keras_fusion.tuning.log import Log
    from keras_fusion.tuning.plan import Plan
    from keras_fusion.tuning.search_file import Budget, Search

    fusion = FusionHyperModel("FusionClassifier", {"a": (5,), "b": (3,)}, 3, {})
    for tuner, most in TUNERS.items():
        budget = Budget(tuner=tuner, trials=2 * max(sizes))
        own = folder / tuner
        own.mkdir()
        plan = Plan(Search(name="s", dataset="d", search=budget), fusion, Log(own))
        rng, times = np.random.default_rng(0), []
        for _ in range(min(most, max(sizes))):
            began = time.process_time()
            name, _ = plan.ask(math.inf)
            plan.tell(name, rng.random(), 1.0, 0.0)
            times.append(time.process_time() - began)
        known = [n for n in sizes if n <= most]
        last = {n: float(np.mean(times[n - n // 10 - 1 : n])) for n in known}
        yield exponent(f"{tuner}, trials", last, at_most=0.3)


def edges(sizes: list[int]) -> Iterable[dict]:
    """Seconds of one batch of a sampled graph with so many edges."""
    from keras_fusion.graphs import SampledGraph

    def batch(size):
        rng, nodes = np.random.default_rng(0), size // 10
        graph = SampledGraph(
            {"x": np.zeros((nodes, 8), "float32")},
            rng.integers(0, nodes, (2, size)),
            np.zeros(nodes, int),
            batch_size=64,
            symmetric=False,
        )
        return lambda: graph[0]

    yield _row("sampled graph, edges", sizes, batch, at_most=0.3)


def _row(
    name: str,
    sizes: list[int],
    make: Callable,
    *,
    calls: int = 3,
    at_most: float | None = None,
    long: float = LONG,
) -> dict:
    """The row of what `make` makes for each size; None of it ends the sizes."""
    seconds = {}
    for size in sizes:
        work = make(size)
        if work is None:
            break
        seconds[size] = min(_seconds(work) for _ in range(calls))
        if seconds[size] > long:
            break
    return exponent(name, seconds, at_most)


def exponent(
    name: str, seconds: dict[int, float], at_most: float | None = None
) -> dict:
    """The row of these seconds by size, with the slope at the largest."""
    ratios = {}
    if len(seconds) > 1:
        *_, a, b = seconds
        slope = math.log(seconds[b] / seconds[a]) / math.log(b / a)
        ratios["exponent"] = target(slope, at_most=at_most)
    ms = {str(size): round(1e3 * s, 3) for size, s in seconds.items()}
    return {"case": name, "ms": ms, "ratios": ratios}


def _seconds(work):
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main("scaling", measure, backends=("torch",))
