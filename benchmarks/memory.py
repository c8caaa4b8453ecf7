"""The memory that cross-diffusion takes, in a process of its own.

    python -m benchmarks.memory 6272 step

Prints the peak of the resident set in MB: of the process, and what the work itself
added, over what the process and its inputs took before.
"""

import json
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


def main(tokens: int, kind: str):
    import keras
    from keras import ops

    from benchmarks import compiled
    from benchmarks.cross_diffusion_cases import draw, ours

    def run(tokens):
        inputs = [ops.cast(x, "float32") for x in draw(tokens)]
        make = compiled.function if kind == "forward" else compiled.gradients
        compiles = keras.backend.backend() != "torch"
        work = make(ours("blockwise"), *inputs, compiled=compiles)
        before = _resident("VmRSS")
        work()
        return before

    run(tokens=64)  # what the libraries take when they first work is not ours
    before = run(tokens)
    peak = _resident("VmHWM")
    print(json.dumps({"peak": round(peak, 1), "added": round(peak - before, 1)}))


def _resident(field):
    """MB, from the kernel; Linux only."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(field)) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
