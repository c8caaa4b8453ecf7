"""What was published: recipes in `zoo/` of the checkout, and their trained weights."""

import hashlib
import json
import os
import pathlib

import keras

from keras_fusion.common.catalogue import find
from keras_fusion.common.files import write_json

RECIPE, WEIGHTS, LIST = "recipe.toml", "model.weights.h5", "weights.json"

# Where a release keeps `<recipe>.weights.h5`; the variable names a mirror.
ADDRESS = "https://github.com/keras-fusion/keras-fusion/releases/download/weights"
VARIABLE = "KERAS_FUSION_WEIGHTS"


def folder() -> pathlib.Path:
    """The folder that holds one sub-folder per recipe.

    Only a wheel carries `keras_fusion/_recipes`; where it is missing, the package
    lies in a checkout, beside `zoo/`.
    """
    package = pathlib.Path(__file__).resolve().parents[1]
    packed = package / "_recipes"
    return packed if packed.is_dir() else package.parent / "zoo"


def names() -> tuple[str, ...]:
    """The recipes there are, sorted: sub-folders that hold a `recipe.toml`."""
    return tuple(sorted(path.parent.name for path in folder().glob(f"*/{RECIPE}")))


def weights(name: str) -> pathlib.Path:
    """The file with the trained weights of a recipe.

    A checkout has all of them. A wheel has those of `mfeat_modality_attention` alone,
    since they are larger than the code: another file is fetched from the release once,
    checked by its SHA-256, and kept under `~/.keras`.

    Raises:
        ValueError: If no recipe of this name has weights, if they cannot be fetched,
            or if what was fetched is another file.
    """
    here = {path.parent.name: path for path in folder().glob(f"*/{WEIGHTS}")}
    if name in here:
        return here[name]
    digests = _digests()
    digest = find("weights file or trained recipe", name, {**here, **digests})
    address = f"{os.environ.get(VARIABLE, ADDRESS)}/{name}.weights.h5"
    try:
        path = keras.utils.get_file(
            f"{digest[:16]}-{name}.weights.h5",
            address,
            file_hash=digest,
            hash_algorithm="sha256",
            cache_subdir="keras_fusion",
        )
    except Exception as error:  # whatever urllib and Keras raise
        raise ValueError(
            f"The weights of {name} cannot be fetched from {address} ({error}). "
            f"{VARIABLE} may name a mirror; a checkout of the project has them."
        ) from error
    return pathlib.Path(path)


def list_weights() -> None:
    """Writes the SHA-256 of every recipe's weights to `weights.json`."""
    files = sorted(folder().glob(f"*/{WEIGHTS}"))
    digests = {p.parent.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    write_json(folder() / LIST, digests)


def _digests():
    path = folder() / LIST
    return json.loads(path.read_text()) if path.is_file() else {}
