"""A data set and a recipe so small that a training run takes a moment."""

from pathlib import Path

import numpy as np

from keras_fusion.experiments import recipes

WIDTHS = {"a": 5, "b": 3}

RECIPE = """
dataset = "npz:{data}"

[arguments]
fusion = {{ class_name = "AdaptiveWeighting", config = {{ gate = "sigmoid" }} }}
units = 4
encoder_depth = 0
dropout = 0.2
modality_dropout = 0.3

[training]
learning_rate = 3e-2
epochs = 3
batch_size = 16
"""


def arrays(rows=100, seed=0):
    """Raw modalities of three classes, `a` the clearer one; some cells of `b` are
    missing, and some rows of `a`."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    inputs = {
        name: (rng.normal(size=(rows, width)) + signal * labels[:, None])
        for signal, (name, width) in zip((2, 1), WIDTHS.items(), strict=True)
    }
    inputs = {name: x.astype("float32") for name, x in inputs.items()}
    inputs["a"][::10] = np.nan
    inputs["b"][1::10, 0] = np.nan
    return inputs | {"y": np.array(["red", "green", "blue"])[labels]}


def write(folder: Path, text: str = RECIPE, **changed) -> Path:
    """Writes `data.npz` and `tiny.toml`; the path of the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "data.npz", **arrays() | changed)
    (folder / "tiny.toml").write_text(text.format(data=folder / "data.npz"))
    return folder / "tiny.toml"


def load(path: Path, **training):
    """The recipe in this file, with changes to its training run, and its data."""
    recipe = recipes.read(str(path))
    recipe = recipes.changed(recipe, **training)
    return recipe, recipes.load_data(recipe, 0)
