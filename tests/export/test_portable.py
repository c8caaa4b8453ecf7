"""A file that one backend wrote is fitted further on another."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_fusion.common.files import whole
from keras_fusion.export import portable
from keras_fusion.layers import Averaging

BACKENDS = ("tensorflow", "jax", "torch")
RNG = np.random.default_rng(0)
INPUTS = {"a": RNG.normal(size=(8, 3)), "b": RNG.normal(size=(8, 2))}
LABELS = np.arange(8) % 2


def tiny(**options):
    inputs = {name: keras.Input(x.shape[1:], name=name) for name, x in INPUTS.items()}
    fused = Averaging(units=2)([*inputs.values()])
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(fused))
    rate = keras.optimizers.schedules.CosineDecay(0.05, 100)
    options = {"optimizer": keras.optimizers.AdamW(rate)} | options
    model.compile(loss="sparse_categorical_crossentropy", **options)
    return model


def fit(model):
    """Two steps on all rows; the losses."""
    return model.fit(
        INPUTS, LABELS, batch_size=8, epochs=2, shuffle=False, verbose=0
    ).history["loss"]


def config_in(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))["compile_config"]


def go_on_with_all(folder):
    """Writes a file in the middle of a training; goes on from every backend's file."""
    folder = Path(folder)
    model = tiny()
    fit(model)
    portable.save(model, folder / f"{keras.backend.backend()}.keras")
    expected = [x.numpy() for x in model.optimizer.variables]
    with whole(folder / f"{keras.backend.backend()}.npz") as beside:
        with beside.open("wb") as file:
            np.savez(file, *expected, losses=fit(model))
    for name in BACKENDS:
        while not (folder / f"{name}.npz").exists():
            time.sleep(0.1)
        with np.load(folder / f"{name}.npz") as arrays:
            *moments, losses = (arrays[key] for key in sorted(arrays, key=position))
        model = portable.load(folder / f"{name}.keras")
        assert type(model.optimizer) is type(keras.optimizers.AdamW())
        found = [x.numpy() for x in model.optimizer.variables]
        assert len(found) == len(moments) > 3 and found[0] == 2  # steps
        assert all(np.array_equal(x, y) for x, y in zip(found, moments, strict=True))
        assert all(np.abs(x).sum() > 0 for x in found)
        np.testing.assert_allclose(fit(model), losses, rtol=1e-5)


def position(key):
    return 99 if key == "losses" else int(key.removeprefix("arr_"))


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="it runs all three: once is enough")
def test_from_each_backend_to_each(tmp_path):
    call = f"test_portable.go_on_with_all({str(tmp_path)!r})"
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", f"from tests.export import test_portable; {call}"],
            env=os.environ | path | {"KERAS_BACKEND": name},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in BACKENDS
    }
    try:
        for name, process in processes.items():
            with process:
                said = process.communicate(timeout=500)[1]
            assert process.returncode == 0, f"{name}: {said}"
    finally:
        for process in processes.values():
            process.kill()


def test_nothing_of_a_backend_is_left(tmp_path):
    model = tiny(jit_compile=keras.backend.backend() == "jax", steps_per_execution=3)
    path = tmp_path / "model.keras"
    portable.save(model, path)
    config = config_in(path)
    assert config["optimizer"]["module"] == "keras.optimizers"
    assert config["optimizer"]["class_name"] == "AdamW"
    assert (config["jit_compile"], config["steps_per_execution"]) == ("auto", 1)
    assert "keras.src.backend" not in json.dumps(config)
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


def test_an_optimizer_inside_another(tmp_path):
    inner = keras.optimizers.SGD(0.1, momentum=0.9)
    model = tiny(optimizer=keras.optimizers.LossScaleOptimizer(inner))
    portable.save(model, tmp_path / "model.keras")
    config = config_in(tmp_path / "model.keras")["optimizer"]
    assert config["config"]["inner_optimizer"]["module"] == "keras.optimizers"


@keras.saving.register_keras_serializable("tests")
class Slow(keras.optimizers.SGD):
    """A user's own optimizer."""


def test_a_users_own_optimizer_stays(tmp_path):
    portable.save(tiny(optimizer=Slow(0.1)), tmp_path / "model.keras")
    config = config_in(tmp_path / "model.keras")["optimizer"]
    assert config["registered_name"] == "tests>Slow"
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is Slow


def test_what_cannot_be_saved(tmp_path):
    x = keras.Input((3,), name="x")
    model = keras.Model(x, x * 2.0)
    with pytest.raises(ValueError, match="is not compiled, so its file holds no opt"):
        portable.save(model, tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"ends in .keras; received .*model\.h5"):
        portable.save(tiny(), tmp_path / "model.h5")
    with pytest.raises(ValueError, match="There is no model .*none.keras"):
        portable.load(tmp_path / "none.keras")
    assert list(tmp_path.iterdir()) == []
