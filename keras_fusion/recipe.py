"""A recipe: one TOML file that names a builder, a data set and a training run."""

import tomllib
from pathlib import Path

import keras

from keras_fusion import datasets, recipes, zoo
from keras_fusion.catalogue import find

DEFAULTS = {
    "builder": "FusionClassifier",
    "dataset": None,
    "label": "y",
    "arguments": {},
    "split": {"labels_per_class": None},
    "training": {
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 1e-4,
        "epochs": 100,
        "batch_size": 32,
        "seeds": [0],
    },
}


def read(name: str) -> dict:
    """The recipe of this name, in this folder, or in this `.toml` file.

    Returns:
        dict with the keys of `DEFAULTS`, what the file leaves out filled in, and
        `"name"`.

    Raises:
        ValueError: If there is no such recipe, if it is not TOML, or if it has a key
            that no recipe has.
    """
    path = Path(name)
    if path.is_dir():
        path = path / "recipe.toml"
    if not path.is_file():
        known = {n: recipes.folder() / n / "recipe.toml" for n in recipes.names()}
        path = find("recipe", name, known)
    try:
        given = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    recipe = _filled(path, given, DEFAULTS)
    if recipe["dataset"] is None:
        raise ValueError(f"{path} names no `dataset`.")
    find("builder", recipe["builder"], zoo.builders())
    path = path.resolve()
    own = path.stem if path.name != "recipe.toml" else path.parent.name
    return recipe | {"name": own}


def load_data(recipe: dict, seed: int) -> datasets.Dataset:
    """The recipe's data set as split by `seed`."""
    return datasets.load(
        recipe["dataset"], seed=seed, label=recipe["label"], **recipe["split"]
    )


def build(recipe: dict, data: datasets.Dataset, **arguments) -> keras.Model:
    """The recipe's model for this data.

    Args:
        recipe: From `read`.
        data: Gives the input shapes and the number of classes.
        **arguments: Replace those of the recipe.
    """
    arguments = recipe["arguments"] | arguments
    if data.classes == 1:
        arguments = {"classifier_activation": None} | arguments
    builder = find("builder", recipe["builder"], zoo.builders())
    try:
        return builder(data.input_shapes, data.classes, **arguments)
    except TypeError as error:
        raise ValueError(f"{recipe['builder']}: {error}") from error


def only(recipe: dict, modality: str) -> dict:
    """The recipe of the single-modality model with the same encoder and training."""
    shared = ("encoder_depth", "units", "dropout", "classifier_activation")
    arguments = {k: v for k, v in recipe["arguments"].items() if k in shared}
    return recipe | {
        "builder": "UnimodalClassifier",
        "arguments": arguments | {"modality": modality},
    }


def concatenation(recipe: dict) -> dict:
    """The recipe with concatenation in place of its operator, all else the same."""
    arguments = {k: v for k, v in recipe["arguments"].items() if k != "query"}
    return recipe | {
        "builder": "FusionClassifier",
        "arguments": arguments | {"fusion": "Concatenation", "depth": 1},
    }


def _filled(path, given, defaults):
    unknown = [key for key in given if key not in defaults]
    if unknown:
        raise ValueError(
            f"{path} has unknown keys {unknown}; a recipe has {list(defaults)}."
        )
    filled = dict(defaults)
    for key, value in given.items():
        default = defaults[key]
        if isinstance(default, dict) != isinstance(value, dict):
            raise ValueError(f"{path}: {key} must be a {type(default).__name__}.")
        nested = isinstance(default, dict) and default
        filled[key] = _filled(f"{path} [{key}]", value, default) if nested else value
    return filled
