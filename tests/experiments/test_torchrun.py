"""Two processes of torchrun that train one model, where Keras 3.16 is installed."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import hosts, prediction, torchrun, training
from keras_fusion.experiments.devices import data_parallel
from tests.experiments import runs
from tests.experiments.test_hosts import RECIPE

pytestmark = pytest.mark.only_on("torch", reason="torchrun is of torch")
try:
    torchrun.require_keras()
    OLD = ""
except InputError as error:
    OLD = str(error)
SCORED = 'metric = "macro F1"' + RECIPE + "patience = 2"
NETWORK = """
[arguments.encoders.a]
backbone = "NET"
weights = "none"
trainable = "after:2 epochs"
"""
LATER = RECIPE.replace("\n[training]", NETWORK + "\n[training]")
SCRIPT = """
import pathlib, sys
import keras, numpy as np
from keras_fusion.cli.main import main
from keras_fusion.experiments import hosts, single_run, training

recipes, folder = sys.argv[1:-1], pathlib.Path(sys.argv[-1])
leave_the_others = single_run.SingleRun.leave_the_others


def keep_weights(run, model):
    name = f"{run.recipe.name}-{run.identity['seed']}-{hosts.is_first()}.npz"
    np.savez(folder / name, *run.model.get_weights())
    leave_the_others(run, model)


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def train(path, *options):
    given = ["--devices", "2", "--quiet", "--runs", str(folder / "runs")]
    return main(["train", path, *given, *options])


single_run.SingleRun.leave_the_others = keep_weights
training.fit.__kwdefaults__ |= {"checkpoint_every": 0, "callbacks": [Stop()]}
assert train(recipes[0]) == 130
training.fit.__kwdefaults__ |= {"callbacks": []}
sys.exit(max(train(path, "--seeds", "0", "1") for path in recipes))
"""


def write(folder, name, text, net=()):
    """The recipe of this name, whose modality a goes through these layers first."""
    network = folder / name / "net.keras"
    path = runs.write(folder / name, text.replace("NET", str(network)))
    if net:
        keras.Sequential([keras.Input((5,)), *net]).save(network)
    return path.rename(path.with_name(f"{name}.toml"))


@pytest.mark.slow
@pytest.mark.skipif(bool(OLD), reason=OLD)
def test_two_processes_give_the_numbers_of_one_and_go_on(tmp_path, monkeypatch):
    batch_norm = keras.layers.BatchNormalization
    paths = [
        write(tmp_path, "stopped", SCORED),
        write(tmp_path, "later", LATER, [keras.layers.Dense(4)]),
        write(tmp_path, "counts", LATER, [keras.layers.Dense(4), batch_norm()]),
    ]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [*command, tmp_path / "script.py", *paths, tmp_path],
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    assert done.stdout.count("trained") == 3, "the first process alone speaks"
    for path in paths:
        for seed in (0, 1):
            first, other = (
                np.load(tmp_path / f"{path.stem}-{seed}-{is_first}.npz")
                for is_first in (True, False)
            )
            for name, weight in first.items():
                np.testing.assert_array_equal(other[name], weight)
    monkeypatch.chdir(tmp_path)
    for path in paths[:2]:  # a batch statistic is one of each process's part
        recipe, data = runs.load(path)
        one = training.fit(recipe, data, 0, tmp_path / "one" / path.stem)
        folder = tmp_path / "runs" / path.stem / "model" / "seed-0"
        two = json.loads((folder / "fit.json").read_text())["history"]
        assert len(two["val_loss"]) == len(one.history["val_loss"])
        for key, values in one.history.items():
            np.testing.assert_allclose(two[key], values, rtol=1e-5, err_msg=key)
        rows = {"a": data.samples["a"], "b": data.samples["b"]}
        assert len(prediction.predict(folder / "model.keras", rows)["probabilities"])
        assert not list(folder.glob("checkpoint*"))


@pytest.mark.skipif(not OLD, reason="this Keras has it")
def test_what_is_missing_is_said(monkeypatch):
    sentence = "on torch needs Keras 3.16 or newer; this is Keras 3"
    with pytest.raises(InputError, match=sentence), data_parallel(2):
        pass
    monkeypatch.setenv(torchrun.COUNT, "2")
    with pytest.raises(InputError, match=sentence):
        hosts.join()


def test_one_process_is_told_how_to_start_several(monkeypatch):
    monkeypatch.setattr(torchrun, "KERAS", (3, 0))
    with pytest.raises(InputError, match="torchrun .* --nproc-per-node 2 "):
        with data_parallel(2):
            pass
