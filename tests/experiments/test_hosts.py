"""Two hosts that train one model: two processes of this machine, on loopback."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import hosts, prediction, training
from tests.experiments import runs

RECIPE = runs.RECIPE.replace("dropout = 0.2", "dropout = 0.0").replace(
    "modality_dropout = 0.3", "modality_dropout = 0.0"
)
SCRIPT = """
import sys
import keras
from keras_fusion.cli.main import main
from keras_fusion.experiments import hosts, prediction, training

class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt

training.fit.__kwdefaults__ |= {"checkpoint_every": 0, "callbacks": [Stop()]}
assert main(sys.argv[1:]) == 130
training.fit.__kwdefaults__ |= {"callbacks": []}
hosts.join = lambda: None  # who has met does not meet again
sys.exit(main(sys.argv[1:]))
"""


def start(number, port, *arguments):
    environment = os.environ | {
        hosts.COORDINATOR: f"127.0.0.1:{port}",
        hosts.COUNT: "2",
        hosts.NUMBER: str(number),
    }
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.slow
@pytest.mark.only_on("jax", reason="test_torchrun.py has torch")
def test_two_hosts_give_the_numbers_of_one_and_go_on(tmp_path):
    path, port = runs.write(tmp_path, RECIPE), free_port()
    arguments = ["train", path, "--devices", 2, "--quiet", "--runs", tmp_path / "runs"]
    both = [start(number, port, *arguments) for number in (0, 1)]
    said = [process.communicate() for process in both]
    assert [p.returncode for p in both] == [0, 0], said
    own = [[x for x in out.splitlines() if "Gloo" not in x] for out, _ in said]
    assert any("trained" in line for line in own[0]) and not own[1]
    folder = tmp_path / "runs" / "tiny" / "model" / "seed-0"
    recipe, data = runs.load(path)
    training.fit(recipe, data, 0, tmp_path / "one")
    one, two = (
        json.loads((at / "fit.json").read_text()) for at in (tmp_path / "one", folder)
    )
    for key, values in one["history"].items():
        np.testing.assert_allclose(two["history"][key], values, rtol=1e-5, err_msg=key)
    rows = {"a": data.samples["a"], "b": data.samples["b"]}
    assert len(prediction.predict(folder / "model.keras", rows)["probabilities"])
    assert not list(folder.glob("checkpoint*"))


@pytest.mark.only_on("jax", reason="test_torchrun.py has torch")
def test_a_host_without_a_number_is_told(monkeypatch):
    monkeypatch.setenv(hosts.COORDINATOR, "127.0.0.1:1")
    monkeypatch.setenv(hosts.COUNT, "2")
    with pytest.raises(InputError, match="must be whole numbers; received '2' and ''"):
        hosts.join()


@pytest.mark.parametrize("number", [0, 1])
def test_hosts_share_a_batch(number, monkeypatch):
    monkeypatch.setattr(hosts, "count", lambda: 2)
    monkeypatch.setattr(hosts, "_number", lambda: number)
    assert list(range(8))[hosts.own_part(8)] == [[0, 1, 2, 3], [4, 5, 6, 7]][number]
