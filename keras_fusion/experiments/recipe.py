"""A recipe: one TOML file that names a builder, a data set and a training run."""

import math
import re
import tomllib
from pathlib import Path

import keras

from keras_fusion import datasets, zoo
from keras_fusion.catalogue import find
from keras_fusion.experiments.tasks import task_of
from keras_fusion.names import safe_names
from keras_fusion.zoo import published as recipes

RECIPE = "recipe.toml"
DEFAULTS = {
    "builder": "FusionClassifier",
    "dataset": None,
    "label": "y",
    "arguments": {},
    "baselines": True,
    "rivals": {},
    "split": {"labels_per_class": None, "train_on_validation": False},
    "training": {
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 1e-4,
        "epochs": 100,
        "batch_size": 32,
        "seeds": [0],
    },
}
_TEXT = "a text", lambda x: isinstance(x, str)
_COUNT = "a whole number from 1", lambda x: type(x) is int and x > 0
_NUMBER = "a number from 0", lambda x: type(x) in (int, float) and 0 <= x < math.inf
_YES_OR_NO = "true or false", lambda x: isinstance(x, bool)
_RIVALS = (
    "a table for each rival, of the arguments that it has in place of the model's",
    lambda x: (
        isinstance(x, dict)
        and all(isinstance(y, dict) and _FILE_NAME.fullmatch(n) for n, y in x.items())
    ),
)
_FILE_NAME = re.compile(r"\w[\w .+-]*")
_SEEDS = (
    "a list of whole numbers from 0",
    lambda x: isinstance(x, list) and x and all(type(s) is int and s >= 0 for s in x),
)
_KINDS = {
    "builder": _TEXT,
    "dataset": _TEXT,
    "label": _TEXT,
    "baselines": _YES_OR_NO,
    "rivals": _RIVALS,
    "labels_per_class": _COUNT,
    "train_on_validation": _YES_OR_NO,
    "optimizer": _TEXT,
    "learning_rate": _NUMBER,
    "weight_decay": _NUMBER,
    "epochs": _COUNT,
    "batch_size": _COUNT,
    "seeds": _SEEDS,
}


def read(name: str) -> dict:
    """The recipe of this name, in this folder, or in this `.toml` file.

    Returns:
        dict with the keys of `DEFAULTS`, what the file leaves out filled in, and
        `"name"`.

    Raises:
        ValueError: If there is no such recipe, if it is not TOML, if it has a key
            that no recipe has, or a value of another kind.
    """
    path = file_of(name)
    recipe = parse(path, DEFAULTS)
    return recipe | {"name": _own_name(path.resolve())}


def _own_name(path):
    """A file beside a recipe, such as its ablation, has both names."""
    if path.name == RECIPE:
        return path.parent.name
    beside = (path.parent / RECIPE).is_file()
    return f"{path.parent.name}-{path.stem}" if beside else path.stem


def parse(path: Path, defaults: dict) -> dict:
    """What a TOML file with at least a recipe's keys says, checked and filled in.

    Args:
        path: The file.
        defaults: Every key it may have, with what stands for one that it leaves out.
    """
    try:
        given = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a TOML file: {error}") from error
    recipe = _filled(path, given, defaults)
    if recipe["dataset"] is None:
        raise ValueError(f"{path} names no `dataset`.")
    builder = find("builder", recipe["builder"], zoo.builders())
    if not builder.record.independent_rows:
        raise ValueError(
            f"{path}: the rows of a recipe are independent, but {recipe['builder']} "
            "classifies the nodes of one graph: train it with `fit` on a "
            "keras_fusion.graphs.FullGraph."
        )
    return recipe


def file_of(name: str) -> Path:
    """The file of the recipe of this name, in this folder, or that is this file."""
    path = Path(name)
    if path.is_dir():
        path = path / RECIPE
    if path.is_file():
        return path
    known = {n: recipes.folder() / n / RECIPE for n in recipes.names()}
    return find("recipe", name, known)


def changed(recipe: dict, **changes) -> dict:
    """The recipe with another `dataset`, `label`, `epochs` or `seeds`, if not None.

    With another data set goes its split: the recipe's was made for its own data.
    """
    recipe = recipe | {"training": dict(recipe["training"])}
    for key, value in changes.items():
        if value is not None:
            _check(recipe["name"], key, value)
            part = recipe["training"] if key in recipe["training"] else recipe
            part[key] = value
    if changes.get("dataset") is not None:
        recipe["split"] = DEFAULTS["split"]
    return recipe


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
    arguments = task_of(data).head | recipe["arguments"] | arguments
    builder = find("builder", recipe["builder"], zoo.builders())
    try:
        return builder(data.input_shapes, data.classes, **arguments)
    except TypeError as error:
        raise ValueError(f"{recipe['builder']}: {error}") from error


def only(recipe: dict, modality: str) -> dict:
    """The recipe of the single-modality model with the same encoder and training.

    Its data have this modality alone. The classifiers of vectors have nothing to fuse
    then; of the others it is the model itself, whose attention is self-attention there.
    """
    record = zoo.builders()[recipe["builder"]].record
    builder, arguments = record.of_one(recipe["arguments"], modality)
    # It has a name, since the average of all such models holds them all.
    arguments = arguments | {"name": f"only_{safe_names([modality])[modality]}"}
    return recipe | {"builder": builder, "arguments": arguments}


def of_modalities(recipe: dict, modalities) -> dict:
    """The recipe for data that have these modalities alone."""
    record = zoo.builders()[recipe["builder"]].record
    arguments = record.of_modalities(recipe["arguments"], modalities)
    return recipe | {"arguments": arguments}


def concatenation(recipe: dict) -> dict:
    """The recipe with concatenation in place of its operator, all else the same."""
    others = ("query", "modality")
    arguments = {k: v for k, v in recipe["arguments"].items() if k not in others}
    fuses = zoo.builders()[recipe["builder"]].record.fusion is not None
    return recipe | {
        "builder": recipe["builder"] if fuses else "FusionClassifier",
        "arguments": arguments | {"fusion": "Concatenation"},
    }


def rival(recipe: dict, name: str) -> dict:
    """The recipe with the arguments of this one of its `rivals`, all else the same."""
    return recipe | {"arguments": recipe["arguments"] | recipe["rivals"][name]}


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
            kind = "a table" if isinstance(default, dict) else "no table"
            raise ValueError(f"{path}: {key} must be {kind}; received {value!r}.")
        nested = isinstance(default, dict) and default
        filled[key] = _filled(f"{path} [{key}]", value, default) if nested else value
        _check(path, key, value)
    return filled


def _check(source, key, value):
    words, fits = _KINDS.get(key, ("", lambda x: True))
    if not fits(value):
        raise ValueError(f"{source}: {key} must be {words}; received {value!r}.")
