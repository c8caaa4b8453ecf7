"""One frame as a picture: inputs, truth, prediction, and a point's affinities."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import record, single_run
from keras_fusion.experiments.batches import model_inputs
from keras_fusion.experiments.comparison import MODEL, trained
from keras_fusion.experiments.recipes import Recipe, load_data, plain
from keras_fusion.experiments.reports.card import best_seed
from keras_fusion.experiments.results import read
from keras_fusion.experiments.tasks import task_of


class Picture(NamedTuple):
    """What one place of the panel shows.

    Attributes:
        title: Above it.
        pixels: `(h, w)` or `(h, w, 3)`.
        cell: Sides in pixels of the frame of what one entry of `pixels` stands for.
        point: `(y, x)` to mark, or None.
        limits: Numbers drawn darkest and lightest, or None for the picture's own.
    """

    title: str
    pixels: np.ndarray
    cell: int = 1
    point: tuple[int, int] | None = None
    limits: tuple[float, float] | None = None


def load(recipe: Recipe, runs: Path, home: Path) -> tuple[keras.Model, Dataset]:
    """The run of a recipe that validated best, or else its published weights.

    Args:
        recipe: From `recipes.read`.
        runs: Where `train` put its runs.
        home: The recipe's folder, in which `evaluate --publish` leaves weights.

    Returns:
        The model that gives probabilities, and the data as its seed split them.

    Raises:
        ValueError: If there are neither, or if they are of another network.
    """
    folder = runs / recipe.name / MODEL
    records = {p.parent: record.read(p.parent) for p in folder.glob("*/fit.json")}
    if records:
        folder = max(records, key=lambda path: records[path].validation)
        network = records[folder].identity
        seed = network["seed"]
    else:
        folder = home
        if not (folder / single_run.WEIGHTS).is_file():
            raise InputError(
                f"{recipe.name} has no trained weights: run `keras-fusion train` first."
            )
        results = read(folder / "results.json")
        network, seed = plain(results.recipe), best_seed(results)
    # other data may be drawn, but by the network whose weights they are
    _require_network(recipe, network, folder)
    data = load_data(recipe, seed)
    return trained(recipe, data, folder, **task_of(data).deployed_head), data


def _require_network(recipe, network, folder):
    wanted = {"builder": recipe.builder, "arguments": recipe.arguments}
    wanted, network = (json.loads(json.dumps(x)) for x in (wanted, network))
    differing = [key for key in wanted if network[key] != wanted[key]]
    if differing:
        raise InputError(
            f"The weights in {folder} are of a network that differs from the recipe's "
            f"in {' and '.join(differing)}: train it into another --runs folder."
        )


def save_panel(
    model: keras.Model, data: Dataset, row: int, point: tuple[int, int], path: Path
) -> None:
    """Draws the `pictures` of a test frame as one PNG file.

    Raises:
        ValueError: As `pictures` does.
        ImportError: If matplotlib is not installed.
    """
    _draw(pictures(model, data, row, point), data.test.labels.shape[1:], path)


def pictures(
    model: keras.Model, data: Dataset, row: int, point: tuple[int, int]
) -> list[Picture]:
    """Inputs, truth and prediction of a test frame, and what a point relates to.

    Args:
        model: Dense prediction by MutualFormer blocks, with probabilities.
        data: What it was made for.
        row: Number of the frame in the test set, from 0.
        point: `(y, x)`, a pixel of the frame.

    Raises:
        ValueError: If there is no such frame or pixel, or no MutualFormer block.
    """
    labels = data.test.labels
    if labels.ndim != 3:
        raise InputError(f"{data.name} has no masks: there is no panel to draw.")
    _require_inside("a frame of the test set", (row,), labels.shape[:1])
    _require_inside("a pixel (y, x)", point, labels.shape[1:])
    frame = {name: x[row : row + 1] for name, x in data.test.inputs.items()}
    taken = model_inputs(model, frame)
    shares = model.predict(taken, verbose=0)[0]  # (H, W, K)
    prediction = shares[..., 0] if data.classes == 1 else shares.argmax(axis=-1)
    inputs = [
        Picture(m, _raw(x[0], data.statistics[m]), point=point)
        for m, x in frame.items()
    ]
    limits = 0, max(1, data.classes - 1)  # or a frame without foreground is all noise
    masks = {"truth": labels[row], "prediction": prediction}
    masks = [Picture(title, x, limits=limits) for title, x in masks.items()]
    return [*inputs, *masks, *_affinities(model, taken, labels.shape[1:], point)]


def _require_inside(what, numbers, limits):
    if not all(0 <= n < limit for n, limit in zip(numbers, limits)):
        raise InputError(
            f"Expected {what} from 0 and below {tuple(limits)}; received "
            f"{tuple(numbers)}."
        )


def _raw(x, statistics):
    """A map as it was measured: color, or its first channel."""
    mean, std = statistics
    raw = x * std + mean
    return np.clip(raw / 255, 0, 1) if raw.shape[-1] == 3 else raw[..., 0]


def _affinities(model, inputs, size, point):
    """The point's rows at the finest scale that the blocks fuse."""
    ends = [x.name for x in model.layers if x.name.startswith("fusion_up_")]
    fused = [name for name in ends if f"{name}_map" in [x.name for x in model.layers]]
    block = max(fused, default="fusion")
    found = zoo.affinities(model, inputs, block)
    height, width = model.get_layer(f"{block}_map").output.shape[1:3]
    cell = 2 ** math.ceil(math.log2(size[1] / width))  # strides are powers of two
    token = point[0] // cell * width + point[1] // cell
    titles = {k: k if isinstance(k, str) else f"{k[1]} to {k[0]}" for k in found}
    return [
        Picture(
            f"affinity, {titles[k]}", x[0, token].reshape(height, width), cell, point
        )
        for k, x in found.items()
    ]


def _draw(pictures, size, path):
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(
            'Panels need matplotlib: pip install "keras-fusion[plots]".'
        ) from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = (len(pictures) + 1) // 2
    figure, axes = pyplot.subplots(
        2, columns, figsize=(3.2 * columns, 4.2), layout="constrained"
    )
    try:
        for place in axes.flat:
            place.axis("off")
        for place, picture in zip(axes.flat, pictures):
            height, width = (picture.cell * n for n in picture.pixels.shape[:2])
            low, high = picture.limits or (None, None)
            extent = 0, width, height, 0
            place.imshow(picture.pixels, extent=extent, vmin=low, vmax=high)
            place.set(xlim=(0, size[1]), ylim=(size[0], 0))  # without the padding
            place.set_title(picture.title, fontsize=9)
            if picture.point:
                place.plot(*reversed(picture.point), "r+", markersize=9)
        with whole(path) as beside:
            figure.savefig(beside, dpi=150, format="png")
    finally:
        pyplot.close(figure)
