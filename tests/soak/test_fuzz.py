"""Files with random faults: always a result or one sentence, never a traceback."""

import csv
import json
import random

import numpy as np
import pytest

from keras_fusion.cli import train
from keras_fusion.experiments import prediction, training, variants
from keras_fusion.experiments.record import Record
from tests.cli.running import run, succeed
from tests.experiments import runs

pytestmark = pytest.mark.soak

TIMES = 600


def damaged(content, rng):
    """The bytes with one to three of them changed, left out or put in, or cut off."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(content))
        byte = bytes([rng.choice([rng.randrange(256), rng.choice(b'09-."[]{}=,\n ')])])
        content[at : at + rng.randint(0, 1)] = rng.choice([byte, b""])
    if rng.random() < 0.1:
        del content[rng.randrange(len(content)) :]
    return bytes(content)


def hurt(path, *command):
    """Runs the command with many damaged forms of the file; how often it succeeded."""
    rng, content, statuses = random.Random(0), path.read_bytes(), []
    for _ in range(TIMES):
        path.write_bytes(damaged(content, rng))
        status, _, err = run(*command)
        assert status in (0, 2), path.read_bytes()
        assert status == 0 or err.count("\n") == 1, err
        statuses.append(status)
    path.write_bytes(content)
    assert set(statuses) == {0, 2}


@pytest.fixture
def stand_in(monkeypatch):
    """Puts something in the place of training, so that only files are read."""

    record = Record(
        name="tiny",
        identity={},
        metric="accuracy",
        validation=1.0,
        epochs=1,
        seconds=1.0,
        parameters=1,
        history={},
    )

    def replace(fit):
        monkeypatch.setattr(training, "fit", lambda *a, **k: fit(*a) or record)
        monkeypatch.setattr(train, "save_deployable", lambda *a: "nowhere")
        monkeypatch.setattr(train, "best_run", lambda folder: "nowhere")

    return replace


def test_recipes(stand_in, tmp_path):
    stand_in(lambda recipe, data, seed, folder: variants.build(recipe, data) and None)
    path = runs.write(tmp_path)
    hurt(path, "train", path, "--runs", tmp_path / "runs")


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_data_sets(kind, stand_in, tmp_path):
    stand_in(lambda recipe, data, seed, folder: None)
    recipe = runs.write(tmp_path)
    path = files(tmp_path, runs.arrays(30))[kind]
    hurt(path, "train", recipe, "--dataset", f"{kind}:{path}", "--runs", tmp_path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    recipe = runs.write(folder)
    succeed("train", recipe, "--runs", folder, "--epochs", 1, "--quiet")
    return folder / "tiny" / "model" / "seed-0" / "model.keras"


@pytest.mark.parametrize("kind", ["npz", "csv", "json"])
def test_features(kind, model, tmp_path, monkeypatch):
    loaded = prediction.load(model)
    monkeypatch.setattr(prediction, "load", lambda path: loaded)
    arrays = runs.arrays(4)
    del arrays["y"]
    path = files(tmp_path, arrays)[kind]
    hurt(path, "predict", model, path)


def files(folder, arrays):
    """The arrays as npz, csv and json."""
    np.savez(folder / "x.npz", **arrays)
    columns = {}
    for name, x in arrays.items():
        split = {f"{name}_{i}": column for i, column in enumerate(x.T)}
        columns |= split if x.ndim > 1 else {name: x}
    with (folder / "x.csv").open("w", newline="") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values())])
    rows = {name: x.tolist() for name, x in arrays.items()}
    (folder / "x.json").write_text(json.dumps(rows).replace("NaN", "null"))
    return {kind: folder / f"x.{kind}" for kind in ("npz", "csv", "json")}


def test_models(model, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(model.read_bytes())
    arrays = runs.arrays(4)
    del arrays["y"]
    hurt(path, "predict", path, files(tmp_path, arrays)["npz"])
