import json
import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import training
from keras_fusion.experiments.batches import InOrder
from keras_fusion.experiments.devices import check_shared, data_parallel, replicas
from keras_fusion.experiments.tasks import task_for
from tests.experiments import runs

needs_two = pytest.mark.only_on(
    "jax", "tensorflow", reason="test_torchrun.py has torch"
)
NO_DRAWS = {"dropout": 0.0, "modality_dropout": 0.0}  # of which each device makes some
SCRIPT = """
import dataclasses, json, pathlib, sys
import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)

from keras_fusion.experiments import training, variants
from tests.experiments import runs, streamed
from tests.experiments.test_devices import NO_DRAWS

folder = pathlib.Path(sys.argv[1])
path = {
    "memory": lambda: runs.write(folder),
    "stream": lambda: streamed.write_recipe(streamed.write_files(folder)),
}[sys.argv[2]]()
recipe, data = runs.load(path, epochs=3)
recipe = variants.with_arguments(recipe, NO_DRAWS)


class Stop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


def fit(name, devices, **options):
    path = folder / name
    record = training.fit(
        recipe, data, 0, path, devices=devices, checkpoint_every=0, **options
    )
    return record.history


found = {"one": fit("one", 1), "two": fit("two", 2)}
try:
    fit("again", 2, callbacks=[Stop()])
except KeyboardInterrupt:
    found["again"] = fit("again", 2)
print(json.dumps(found))
"""


@needs_two
@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "memory",
        pytest.param("stream", marks=pytest.mark.only_on("jax", reason="is quicker")),
    ],
)
def test_two_devices_give_the_numbers_of_one_and_go_on(source, tmp_path):
    """In a process of its own: a backend splits its CPU before it starts."""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    command = [sys.executable, "-c", SCRIPT, tmp_path, source]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["one"]["loss"]) == 3
    for key, values in found["one"].items():
        np.testing.assert_allclose(found["two"][key], values, rtol=1e-5, err_msg=key)
    assert found["again"] == found["two"]


def test_batches_are_filled_up_with_rows_that_weigh_nothing(monkeypatch):
    monkeypatch.setattr("keras_fusion.experiments.batches.replicas", lambda: 4)
    rows = InOrder({"a": np.arange(10.0)[:, None]}, np.arange(10))
    rows.batch_size = 8
    first, last = rows[0], rows[1]
    np.testing.assert_array_equal(first[2], np.full(8, np.float32(1.2)))
    np.testing.assert_array_equal(last[0]["a"][:, 0], [8, 9, 0, 0])
    np.testing.assert_array_equal(last[1], [8, 9, 0, 0])
    np.testing.assert_array_equal(last[2], np.float32([1.2, 1.2, 0, 0]))


@pytest.mark.parametrize(
    "labels, shape, classes",
    [
        (np.arange(10) % 3, (3,), 3),
        (np.linspace(-1, 1, 10), (1,), 1),
        (np.arange(30).reshape(10, 3) % 2, (3,), 3),
        (np.arange(40).reshape(10, 2, 2) % 3, (2, 2, 3), 3),
    ],
    ids=["classes", "numbers", "several", "masks"],
)
def test_rows_that_weigh_nothing_change_no_score(labels, shape, classes, monkeypatch):
    task = task_for(labels.ndim, classes)
    x = keras.Input((4,), name="a")
    y = keras.layers.Reshape(shape)(keras.layers.Dense(int(np.prod(shape)))(x))
    if classes > 1 and labels.ndim != 2:
        y = keras.layers.Softmax()(y)
    elif labels.ndim == 2:
        y = keras.layers.Activation("sigmoid")(y)
    model = keras.Model({"a": x}, y)
    inputs = {"a": np.random.default_rng(0).normal(size=(10, 4)).astype("float32")}

    def judged(rows, metrics):
        model.compile(loss=task.loss(), **{metrics: [task.watched(classes)]})
        return model.evaluate(rows, return_dict=True, verbose=0)

    expected = judged(InOrder(inputs, labels), "metrics")
    monkeypatch.setattr("keras_fusion.experiments.batches.replicas", lambda: 4)
    found = judged(InOrder(inputs, labels), "weighted_metrics")
    assert found == pytest.approx(expected, rel=1e-5)


def test_devices_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    recipe, data = runs.load(runs.write(tmp_path), epochs=1)
    with pytest.raises(InputError, match="whole number from 1; received 0"):
        training.fit(recipe, data, 0, tmp_path / "run", devices=0)
    sentence = "64 devices were asked for; .* has "
    if keras.backend.backend() == "torch":
        sentence = "[Oo]n torch (needs Keras 3.16|a process trains on each)"
    with pytest.raises(InputError, match=sentence):
        training.fit(recipe, data, 0, tmp_path / "run", devices=64)
    monkeypatch.setattr("keras_fusion.experiments.devices.replicas", lambda: 7)
    with pytest.raises(InputError, match="7 devices share a batch equally"):
        training.fit(recipe, data, 0, tmp_path / "run")


@pytest.mark.parametrize(
    "labels, sentence",
    [
        (np.zeros((8, 2, 2)), "masks of a foreground, .*: train on one device"),
        (np.zeros(1), "it has 1 rows that train, too few for 2 devices"),
    ],
)
def test_data_that_devices_cannot_share_are_refused(labels, sentence, monkeypatch):
    monkeypatch.setattr("keras_fusion.experiments.devices.replicas", lambda: 2)
    train = SimpleNamespace(labels=labels)
    with pytest.raises(InputError, match=sentence):
        check_shared(SimpleNamespace(name="it", classes=1, train=train), batch_size=4)


def test_one_device_is_as_without():
    with data_parallel(1):
        assert replicas() == 1
