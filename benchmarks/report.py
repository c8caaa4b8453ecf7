"""Runs a benchmark on every backend, prints its ratios and keeps them in a file."""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

ROOT = pathlib.Path(__file__).parents[1]
BACKENDS = ("tensorflow", "jax", "torch")
PACKAGES = ("keras", "tensorflow", "jax", "torch", "torch_geometric", "numpy")


def main(
    name: str,
    measure: Callable,
    backends: tuple[str, ...] = BACKENDS,
    summary: Callable | None = None,
):
    """The command of one benchmark.

    It starts itself once per backend, each in a process of its own with the same
    number of threads, one after the other.

    Args:
        name: Module in `benchmarks/` and name of the results file.
        measure: Function of the parsed arguments that measures on the current
            backend and returns rows, dicts with `case`, `ms` and `ratios` (the
            latter from `target`).
        backends: Those to run unless the command names others.
        summary: Function of all rows to further ones, that compare backends.
    """
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one small case, one round"
    )
    parser.add_argument("--gpu", action="store_true", help="large batches on a GPU")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=backends)
    parser.add_argument("--results", type=pathlib.Path, default=None)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps({"rows": measure(arguments), "device": _device()}))
        return
    if arguments.gpu:
        arguments.backends = [b for b in arguments.backends if b != "tensorflow"]
    result = _machine(arguments)
    _pin(arguments.threads)
    for backend in arguments.backends:
        child = _run(name, backend, arguments)
        result["device"] = child["device"]
        for row in child["rows"]:
            result["rows"].append({"backend": backend} | row)
    if summary:
        result["rows"] += summary(result["rows"])
    _print(name, result)
    suffix = "_gpu" if arguments.gpu else ""
    path = arguments.results or ROOT / f"benchmarks/results/{name}{suffix}.json"
    _write(path, result)
    print(f"Wrote {path}")


def target(
    value: float, at_least: float | None = None, at_most: float | None = None
) -> dict:
    """A ratio beside what it should be, if anything."""
    bounds = {"at_least": at_least, "at_most": at_most}
    return {"value": round(value, 3)} | {k: v for k, v in bounds.items() if v}


def met(ratio: dict) -> bool | None:
    """Whether a ratio reaches its target, None without one."""
    if "at_least" in ratio:
        return ratio["value"] >= ratio["at_least"]
    return ratio["value"] <= ratio["at_most"] if "at_most" in ratio else None


def _pin(threads):
    """Keeps this process and those it starts on so many processors, where it can.

    JAX and TensorFlow have several pools each, which together would take more.
    """
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: max(1, threads)])


def _run(name, backend, arguments):
    threads = str(arguments.threads)
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "NPROC": threads,  # what XLA sizes its pool by
    }
    if arguments.gpu:  # which torch and JAX share
        environment["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    else:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--child"]
    command += [f"--{flag}" for flag in ("quick", "gpu") if getattr(arguments, flag)]
    command += ["--threads", threads]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"{name} failed on {backend}; nothing was written.")
    return json.loads(done.stdout.splitlines()[-1])


def _machine(arguments):
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cpu": _cpu(),
        "threads": arguments.threads,
        "quick": arguments.quick,
        "python": platform.python_version(),
        "versions": {p: _version(p) for p in PACKAGES},
        "rows": [],
    }


def _commit():
    """The checkout's commit, `-dirty` where files differ from it; None outside git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or None


def _cpu():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor()
    models = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return models[0] if models else platform.processor()


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _device():
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def _print(name, result):
    names = list(dict.fromkeys(n for row in result["rows"] for n in row["ratios"]))
    table = Table("backend", "case", *names, title=name.replace("_", " "))
    for row in result["rows"]:
        cells = [_cell(row["ratios"].get(n)) for n in names]
        table.add_row(row["backend"], row["case"], *cells)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(ratio):
    if ratio is None:
        return ""
    bound = "".join(
        f" ({sign} {ratio[key]})"
        for key, sign in (("at_least", ">="), ("at_most", "<="))
        if key in ratio
    )
    color = {True: "green", False: "red", None: "default"}[met(ratio)]
    return f"[{color}]{ratio['value']:.2f}{bound}[/]"


def _write(path, result):
    """Puts the file in place whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    with beside.open("w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
