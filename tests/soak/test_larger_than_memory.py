"""Files that are larger than the memory train, and long tables are predicted."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not os.path.exists("/proc/self/status"), reason="reads Linux' /proc"
    ),
]

ROWS, FEW, LONG = 12_000, 60, 600_000
TIMES = 10  # the files are larger than the memory
RECIPE = """
dataset = "table:{folder}/{name}.csv"
stream = {stream}

[modalities.scan]
image = "scan"
size = [96, 96]
[modalities.series]
array = "series"

[arguments]
units = 8

[training]
epochs = 1
batch_size = 16
"""
# The limit holds for what a process may write to and shares with nobody. What it has
# after a small run of the same kind, libraries above all, is allowed besides.
TRAIN = """
import json, pathlib, resource, sys
from keras_fusion.experiments import recipes, training

folder, name, room = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def status(key):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(key + ":")) * 1024

def train(name):
    recipe = recipes.read(str(folder / f"{name}.toml"))
    data = recipes.load_data(recipe, 0)
    return len(data.train.labels), training.fit(recipe, data, 0, folder / f"run-{name}")

train("few")
before = status("VmHWM")
limit = status("VmData") + room
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    rows, record = train(name)
except (MemoryError, RuntimeError) as error:
    sys.exit(f"out of memory: {error!r}")
print(json.dumps({"rows": rows, "grown": status("VmHWM") - before}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures and arrays of noise, tables that name them, and recipes."""
    image = pytest.importorskip("PIL.Image")
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    lines = ["scan,series,y"]
    for row in range(ROWS):
        pixels = rng.integers(0, 256, (288, 288, 3), "uint8")
        image.fromarray(pixels).save(folder / f"{row}.png", compress_level=0)
        np.save(folder / f"{row}.npy", rng.normal(size=(128, 64)).astype("float32"))
        lines.append(f"{row}.png,{row}.npy,{'ab'[row % 2]}")
    for name, stream, rows in (
        ("few", "true", FEW),
        ("all", "true", ROWS),
        ("whole", "false", ROWS),
    ):
        (folder / f"{name}.csv").write_text("\n".join(lines[: rows + 1]))
        text = RECIPE.format(folder=folder, name=name, stream=stream)
        (folder / f"{name}.toml").write_text(text)
    return folder


def size_of(folder):
    files = [*folder.glob("*.png"), *folder.glob("*.npy")]
    return sum(file.stat().st_size for file in files)


def run(script, *words):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        env=os.environ
        | {
            "KERAS_BACKEND": "torch",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([".", *sys.path]),
        },
        capture_output=True,
        text=True,
        timeout=1800,
    )


def test_files_ten_times_the_memory_train(folder, record_property):
    size = size_of(folder)
    process = run(TRAIN, folder, "all", size // TIMES)
    assert process.returncode == 0, process.stderr[-2000:]
    found = json.loads(process.stdout.splitlines()[-1])
    assert found["rows"] > ROWS / 2
    record_property("files_mib", size >> 20)
    record_property("limit_mib", size // TIMES >> 20)
    record_property("grown_mib", found["grown"] >> 20)


def test_the_limit_is_one_for_who_keeps_what_was_read(folder):
    process = run(TRAIN, folder, "whole", size_of(folder) // TIMES)
    assert process.returncode != 0 and "out of memory" in process.stderr


TABLE = """
dataset = "table:{folder}/learned.csv"
label = "ill"

[arguments]
units = 8

[training]
epochs = 1
"""
# The most that was in memory, after a tenth of the rows and in the end.
PREDICT = """
import json, pathlib, sys
from keras_fusion.experiments import prediction_parts

def most():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith("VmHWM:")) * 1024

*words, rows = sys.argv[1:]
early = []

def report(done):
    if done <= int(rows) // 10:
        early.append(most())

prediction_parts.write(*words, report=report)
print(json.dumps([early[-1], most()]))
"""
LEARN = """
import pathlib, sys
from keras_fusion.experiments import recipes, saving, training

folder = pathlib.Path(sys.argv[1])
recipe = recipes.read(str(folder / "learned.toml"))
data = recipes.load_data(recipe, 0)
training.fit(recipe, data, 0, folder / "run")
print(saving.save_deployable(recipe, data, folder / "run"))
"""


def test_ten_times_the_rows_are_predicted_in_the_same_memory(tmp_path, record_property):
    write_rows(tmp_path / "learned.csv", 200)
    (tmp_path / "learned.toml").write_text(TABLE.format(folder=tmp_path))
    learned = run(LEARN, tmp_path)
    assert learned.returncode == 0, learned.stderr[-2000:]
    file, output = tmp_path / "rows.csv", tmp_path / "out.csv"
    write_rows(file, LONG)
    process = run(PREDICT, learned.stdout.splitlines()[-1], file, output, LONG)
    assert process.returncode == 0, process.stderr[-2000:]
    with output.open() as lines:
        assert sum(1 for _ in lines) == LONG + 1
    early, late = json.loads(process.stdout.splitlines()[-1])
    size = file.stat().st_size
    record_property("file_mib", size >> 20)
    record_property("grown_mib", (late - early) >> 20)
    assert late - early < size / TIMES, f"{early >> 20} and {late >> 20} MiB"


def write_rows(path, rows):
    """A table of ages, names that come back, and notes."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(50)]
    with path.open("w") as file:
        file.write("age,sex,note,ill\n")
        for row in range(rows):
            note = " ".join(words[i] for i in rng.integers(0, 50, 24))
            file.write(f"{20 + row % 60}.5,{'mf'[row % 3 == 0]},{note},{row % 2}\n")
