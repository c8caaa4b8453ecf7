"""Hostile `.keras` and weights files: each kind is refused before it is loaded."""

import io
import json
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_fusion.export import load, portable
from keras_fusion.safety import allowed, archives


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The members of a whole `.keras` file."""
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    model.compile("sgd", "mse")
    model.save(path)
    archives.check_model(path, compiled=True)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def write(tmp_path):
    def write(members):
        with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in members.items():
                file.writestr(name, content)
        return tmp_path / "m.keras"

    return write


def with_weights(change):
    """The weights of a file after `change(h5py.File)`."""

    def changed(members):
        file = io.BytesIO(members[archives.WEIGHTS])
        with h5py.File(file, "a") as weights:
            change(weights)
        return members | {archives.WEIGHTS: file.getvalue()}

    return changed


def with_layer(**config):
    """The configuration with other arguments of its Dense layer."""

    def changed(members):
        document = json.loads(members[archives.CONFIG])
        dense = document["config"]["layers"][1]
        dense["config"] |= config
        return members | {archives.CONFIG: json.dumps(document)}

    return changed


def external_data(weights):
    weights.create_dataset("x", (3,), "f4", external=[("/etc/passwd", 0, 12)])


def virtual_data(weights):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (3,))
    weights.create_virtual_dataset("x", layout)


def link(made):
    def change(weights):
        weights["layers/other"] = made

    return with_weights(change)


def huge(weights):
    weights.create_dataset("x", (10**6, 10**6), "f4", chunks=(10, 10))


HOSTILE = {
    "external link": link(h5py.ExternalLink("/etc/passwd", "/")),
    "soft link": link(h5py.SoftLink("/layers/dense")),
    "external data": with_weights(external_data),
    "virtual data": with_weights(virtual_data),
    "shape without data": with_weights(huge),
    "layer of 10^12 units": with_layer(units=10**12),
    "zip bomb": lambda members: members | {"assets/a": bytes(10**8)},
    "pickle": lambda members: members | {"model.pkl": pickle.dumps({})},
    "weights as npz": lambda members: members | {"model.weights.npz": b""},
    "path outside": lambda members: members | {"../a": b""},
}
BROKEN = {
    "no weights": lambda members: members | {archives.WEIGHTS: b""},
    "no object": lambda members: members | {archives.CONFIG: b"[]"},
    "no json": lambda members: members | {archives.CONFIG: b"{"},
    "nested deeply": lambda members: members | {archives.CONFIG: b"[" * 10**6},
    "no config": lambda members: {"metadata.json": b"{}"},
    "no zip": lambda members: {},
}


@pytest.mark.parametrize("read", [load, portable.load])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files(kind, read, saved, write):
    path = write(HOSTILE[kind](saved))
    with pytest.raises(allowed.Unsafe, match=str(path)):
        read(path)


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files(kind, saved, write):
    path = write(BROKEN[kind](saved))
    with pytest.raises(ValueError, match="is not a whole .keras file"):
        load(path)


def test_a_lambda_whose_function_is_a_class(write, saved):
    document = json.loads(saved[archives.CONFIG])
    document["config"]["layers"].append(
        {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {
                "function": {
                    "class_name": "function",
                    "module": "builtins",
                    "config": "TFSMLayer",
                    "registered_name": "function",
                },
                "arguments": {"filepath": "/tmp/foreign"},
            },
        }
    )
    path = write(saved | {archives.CONFIG: json.dumps(document)})
    with pytest.raises(allowed.Unsafe, match="Lambda|TFSMLayer"):
        load(path)


def test_assets_of_layers_are_taken(write, saved):
    path = write(saved | {"assets/layers/lookup/vocabulary.txt": b"a\nb\n"})
    assert load(path).predict(np.ones((1, 3)), verbose=0).shape == (1, 2)


def test_a_compressed_file_is_taken(tmp_path):
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(100)])
    model.set_weights([np.zeros((100, 100)), np.zeros(100)])
    model.save(tmp_path / "plain.keras")
    with (
        zipfile.ZipFile(tmp_path / "plain.keras") as plain,
        zipfile.ZipFile(tmp_path / "c.keras", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert load(tmp_path / "c.keras").count_params() == 10100
