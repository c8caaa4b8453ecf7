"""The memory that cross-diffusion takes, in a process of its own; Linux only.

    python -m benchmarks.memory 6272 step

Prints MB of the resident set: the peak of the whole process, and what the work itself
added once it had been compiled and run: its results and all that it holds on the way.
"""

import ctypes
import gc
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]


def measure(tokens: int, kind: str) -> dict[str, float]:
    """`{"peak": ..., "added": ...}` in MB, measured in a process that this starts."""
    command = [sys.executable, "-m", "benchmarks.memory", str(tokens), kind]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def peak_and_added(work) -> tuple[float, float]:
    """MB of the process at its highest, and what a second call of `work` adds.

    The kernel's peak is that of a lifetime, compilation included, and what was freed
    stays with the allocator: both are reset between the calls.
    """
    work()
    first = _resident("VmHWM")
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    results = work()  # which count while they are held
    second = _resident("VmHWM")
    del results
    return max(first, second), second - before


def main(tokens: int, kind: str):
    # With it TensorFlow keeps what is freed, and a second call adds nothing.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    import keras
    from keras import ops

    from benchmarks import compiled
    from benchmarks.cross_diffusion_cases import draw, ours

    inputs = [ops.cast(x, "float32") for x in draw(tokens)]
    make = compiled.function if kind == "forward" else compiled.gradients
    compiles = keras.backend.backend() != "torch"
    peak, added = peak_and_added(make(ours("blockwise"), *inputs, compiled=compiles))
    print(json.dumps({"peak": round(peak, 1), "added": round(added, 1)}))


def _resident(field):
    """MB, from the kernel."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(field)) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
