"""The benchmarks run and write what they promise; how fast is not for tests to say."""

import argparse
import json
import math
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from benchmarks import graph_layers, operators, scaling
from benchmarks.memory import peak_and_added
from benchmarks.report import met, target
from benchmarks.timing import best, interleave, ratio
from keras_fusion import layers

ROOT = pathlib.Path(__file__).parents[2]


def test_interleave_times_every_case_in_every_round():
    calls = []
    cases = {name: lambda name=name: calls.append(name) for name in "abc"}
    times = interleave(cases, rounds=4, block=0.0)
    assert {name: len(t) for name, t in times.items()} == {"a": 4, "b": 4, "c": 4}
    timed = calls[-24:]  # each round warms every case up and times it once
    assert timed[:6] == list("aabbcc") and timed[6:12] == list("bbccaa")


def test_ratio_is_the_median_of_the_rounds_and_not_of_the_times():
    times = {
        "a plain": [2.0, 20.0, 6.0],
        "b": [1.0, 10.0, 2.0],
        "a compiled": [9.0] * 3,
    }
    assert ratio(times, "a plain", "b") == 2.0
    assert best(times, "a") == "a plain"


def test_target():
    assert met(target(1.31, at_least=1.3)) and not met(target(1.29, at_least=1.3))
    assert met(target(1.4, at_most=1.4)) and not met(target(1.41, at_most=1.4))
    assert met(target(5.0)) is None


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_work_adds_is_not_what_came_before():
    calls = []

    def work():
        """Holds 150 MB when it is compiled, 50 MB later, and results of 8 MB."""
        held = np.ones((50 if calls else 150) * 2**17)
        calls.append(held.size)
        return held[: 2**20].copy()

    peak, added = peak_and_added(work)
    assert 50 <= added < 65 and peak > 150
    assert len(calls) == 2


def test_graph_layers_are_compared_by_their_best_processes():
    case = {"case": "step gat E=100000"}
    rows = [
        case | {"ms": {"ours plain": 8.0, "geometric plain": 6.0}},
        case | {"ms": {"ours compiled": 4.0, "geometric plain": 9.0}},
        case | {"ms": {"ours plain": 5.0, "geometric compiled": 3.0}},
    ]
    (best_row,) = graph_layers.summary(rows)
    assert best_row["ratios"] == {
        "geometric plain / ours": target(1.5, at_least=1),
        "geometric compiled / ours": target(0.75),
    }


@pytest.mark.only_on("torch", reason="what measures and writes is the same")
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "modality_attention",
        "adaptive_weighting",
        "fit_overhead",
        "cross_diffusion",
        "graph_layers",
        "prediction",
        "training_memory",
    ],
)
def test_smallest_case_writes_its_results(name, tmp_path):
    if name == "graph_layers":
        pytest.importorskip("torch_geometric", reason="the baseline is torch_geometric")
    path = tmp_path / "results.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick"]
    command += ["--backends", keras.backend.backend(), "--results", str(path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    result = json.loads(path.read_text())
    for key in ("date", "commit", "cpu", "device", "threads", "versions"):
        assert key in result
    assert result["versions"]["keras"] == keras.__version__
    assert result["rows"]
    for row in result["rows"]:
        assert row["backend"] in (keras.backend.backend(), "best")
        assert all(ms > 0 for ms in row["ms"].values())
        assert all(r["value"] > 0 for r in row["ratios"].values())
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


@pytest.mark.only_on("torch", reason="what measures is the same")
@pytest.mark.slow
def test_exponents_of_the_smallest_sizes(tmp_path):
    some = {name: layers.get(name) for name in ("Summation", "TensorFusion")}
    found = [
        *scaling.rows(tmp_path, [60, 90]),
        *scaling.modalities([2, 8], some),
        *scaling.tokens([2, 4], {"JointAttention": layers.JointAttention}),
        *scaling.trials(tmp_path, [10, 20]),
        *scaling.edges([100, 1000]),
    ]
    sizes = {row["case"]: list(row["ms"]) for row in found}
    assert sizes["train, rows"] == sizes["predict, rows"] == ["60", "90"]
    assert sizes["TensorFusion, modalities"] == ["2"]  # of 8 it refuses
    assert all(
        math.isfinite(r["value"]) for row in found for r in row["ratios"].values()
    )
    row = scaling.exponent("work", {10: 0.1, 100: 0.2, 1000: 20.0})
    assert row["ratios"] == {"exponent": target(2)}


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_failing_backend_leaves_the_old_results(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    command = [sys.executable, "-m", "benchmarks.modality_attention", "--quick"]
    command += ["--backends", "torch", "--threads", "-1", "--results", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and "nothing was written" in done.stderr
    assert path.read_text() == "old"


@pytest.mark.only_on("torch", reason="what measures is the same")
@pytest.mark.slow
def test_every_operator_is_timed_beside_its_rivals(monkeypatch):
    monkeypatch.setattr("benchmarks.compiled.set_torch", lambda arguments: None)
    rows = operators.measure(argparse.Namespace(quick=True))
    assert {row["case"].split()[1] for row in rows} == set(layers.operators())
    for row in rows:
        assert all(ms > 0 for ms in row["ms"].values())
        assert len(row["ratios"]) == len(row["ms"]) - 1 >= 2
