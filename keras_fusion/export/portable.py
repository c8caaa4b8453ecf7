"""`.keras` files that `fit` goes on from on any backend."""

import json
import zipfile
from pathlib import Path

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole
from keras_fusion.safety import archives


def save(model: keras.Model, path: str | Path) -> None:
    """Saves a compiled model so that `load` compiles it on any backend.

    Keras' own file names the optimizer class of the backend it was saved on, and what
    that backend made of `jit_compile="auto"`; on another one `fit` then fails, or is
    many times slower. Here both are left to whoever loads. Weights, moments and the
    count of steps are as Keras writes them.

    Args:
        model: A compiled model.
        path: A `.keras` file; it appears whole or not at all.

    Raises:
        ValueError: If the model is not compiled, or `path` does not end in `.keras`.
    """
    path = Path(path)
    if not model.compiled:
        raise InputError(
            f"{model.name} is not compiled, so its file holds no optimizer: save it "
            "with model.save."
        )
    if path.suffix != ".keras":
        raise InputError(f"Expected a path that ends in .keras; received {path}.")
    with whole(path) as beside:
        model.save(beside)
        with zipfile.ZipFile(beside) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members[archives.CONFIG])
        members[archives.CONFIG] = json.dumps(_neutral(config)).encode()
        with zipfile.ZipFile(beside, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)


def save_weights(model: keras.Model, path: Path) -> None:
    """Saves a model's `.weights.h5` file, which appears whole or not at all.

    HDF5 crashes the process where a disk is full. Keras writes the weights within a
    `.keras` file in memory, so they are taken out of one.
    """
    with whole(path) as beside:
        keras_file = beside.with_suffix(".keras")
        try:
            model.save(keras_file)
            with zipfile.ZipFile(keras_file) as archive:
                beside.write_bytes(archive.read(archives.WEIGHTS))
        finally:
            keras_file.unlink(missing_ok=True)


def load(path: str | Path) -> keras.Model:
    """The compiled model of such a file, with the layers and losses of this library.

    Raises:
        ValueError: As `keras_fusion.export.load` raises it.
    """
    # Registers what the file may hold.
    import keras_fusion.layers
    import keras_fusion.losses
    import keras_fusion.metrics  # noqa: F401

    return archives.load_model(path, compile=True)


def _neutral(config):
    compiling = config["compile_config"]
    compiling["optimizer"] = _of_no_backend(compiling["optimizer"])
    compiling["jit_compile"] = "auto"
    compiling["steps_per_execution"] = 1  # torch knows no other
    return config


def _of_no_backend(found):
    """Keras' public optimizer class in the place of a backend's own, inner ones too."""
    if not isinstance(found, dict):
        return found
    found = {key: _of_no_backend(value) for key, value in found.items()}
    public = getattr(keras.optimizers, str(found.get("class_name")), None)
    if public and str(found.get("module")).startswith("keras.src.backend."):
        found |= {"module": "keras.optimizers", "registered_name": None}
    return found
