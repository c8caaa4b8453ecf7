"""What a recipe from elsewhere may name: layers that compute, and files near it."""

import glob
import os
from pathlib import Path

import keras

from keras_fusion import layers
from keras_fusion.common.errors import InputError
from keras_fusion.datasets import reach
from keras_fusion.datasets.builtin import archives
from keras_fusion.safety.allowed import PURE_LAYERS, objects
from keras_fusion.zoo.parts.described import described


def check_layers(arguments: dict, source: str) -> None:
    """Refuses a layer that may do more than compute, such as run a foreign graph.

    The pure layers of Keras, those of this library, and what the calling program has
    registered may be named.

    Args:
        arguments: Of a builder; looked through to the last value.
        source: The recipe, for the message.
    """
    for found in objects(arguments):
        name = found["class_name"]
        if not isinstance(name, str) or not _is_known(name):
            raise InputError(
                f"{source}: a recipe may not name the layer {name!r}. It may name "
                "layers of Keras that only compute, those of keras_fusion, and what "
                "the calling program has registered."
            )
        config = found.get("config") or {}
        if not isinstance(config, dict):
            raise InputError(
                f"{source}: config of {name} must be a table; received {config!r}."
            )
        for key, value in config.items():
            if key in ("vocabulary", "idf_weights") and isinstance(value, str):
                raise InputError(
                    f"{source}: {key} of {name} must be a list in a recipe; received "
                    f"the path {value!r}."
                )


def check_path(dataset: str, folder: Path, source: str, remedy: str) -> None:
    """Refuses a file that lies neither under the recipe's folder nor with the data.

    Links are followed, those in a folder that is named as well.

    Args:
        dataset: As a recipe names it; what has no path passes.
        folder: Of the recipe.
        source: The recipe, for the message.
        remedy: What to do if the file is meant.
    """
    kind, colon, path = dataset.partition(":")
    if not colon:
        return
    is_near = reach.near(folder)
    for found in _named(os.path.expanduser(path)):
        if not is_near(found):
            raise InputError(
                f"{source} names {found}, which lies neither under its own folder, "
                f"nor under the current folder, nor under {archives.folder()}: "
                f"{remedy} if it is meant."
            )


def _named(path):
    """The path, the files that it is a pattern of, and links in what is a folder."""
    yield path
    if "\0" in path:  # the name of no file
        return
    for found in [path, *glob.iglob(path)]:
        yield found
        for folder, folders, files in os.walk(found):
            inside = (os.path.join(folder, name) for name in [*folders, *files])
            yield from filter(os.path.islink, inside)


def check_backbones(encoders, folder: Path, source: str) -> None:
    """Refuses a backbone that a recipe takes from elsewhere, or does not describe.

    Args:
        encoders: By modality, as a recipe gives them.
        folder: Of the recipe.
        source: The recipe, for the message.
    """
    for modality, encoder in encoders.items() if isinstance(encoders, dict) else ():
        try:
            said = described(modality, encoder)
        except ValueError as error:
            raise InputError(f"{source}: {error}") from error
        for path in _paths(said) if said else ():
            _check_near(path, folder, source)


def check_tokenizers(modalities: dict, folder: Path, source: str) -> None:
    """Refuses a tokenizer that a recipe takes from elsewhere.

    Args:
        modalities, folder, source: Of the recipe, the last for the message.
    """
    for table in modalities.values():
        for path in _of_hub(str(table.get("tokenizer", ""))):
            _check_near(path, folder, source)


def _check_near(path, folder, source):
    if "://" in path:
        raise InputError(
            f"{source}: a recipe takes no backbone from {path}: save it as a .keras "
            "file beside the recipe."
        )
    check_path(f"file:{path}", folder, source, "move it there")


def _of_hub(said):
    """The folder of a preset of KerasHub, where it is one."""
    kind, _, preset = said.partition(":")
    if kind == "keras_hub" and ("/" in preset or Path(preset).exists()):
        yield preset


def _paths(said):
    yield from _of_hub(said.source)
    if said.source.endswith(".keras"):
        yield said.source
    if said.weights.endswith(".h5"):
        yield said.weights


def _is_known(name):
    if name in PURE_LAYERS or name in layers.__all__:
        return True
    return keras.saving.get_registered_object(name) is not None
