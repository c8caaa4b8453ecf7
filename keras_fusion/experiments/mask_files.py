"""A folder of pictures in, a mask for each out."""

from pathlib import Path

import numpy as np

from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole
from keras_fusion.common.names import MASK
from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.depth import normalize
from keras_fusion.datasets.images import files_of, open_image
from keras_fusion.experiments import prediction

KINDS = ("rgb", "depth")


def is_folder(path: str | Path) -> bool:
    """Whether this is a folder of pictures, as `write` takes it."""
    return any(Path(path, kind).is_dir() for kind in KINDS)


def write(model: str | Path, folder: str | Path, output: str | Path) -> tuple[str, ...]:
    """Writes `NAME.png` for each picture, the number of each pixel's class.

    Of a model that finds one class, the foreground is 255. Where the classes have
    numbers for names, those are written. Pictures of another size than the model's are
    resized, and their masks back to their own size.

    Args:
        model: A `.keras` file that `train` wrote, or an export of one, for masks.
        folder: With `rgb/` and `depth/`, as for training. Where one of them has no
            picture of a name, that modality is absent there.
        output: A folder, which is made where it is not there.

    Returns:
        Notes on what is absent or resized.

    Raises:
        ValueError: If the model or the folder are of another kind, or a picture cannot
            be read.
    """
    predict, names = prediction.Predictor(model), prediction.class_names(model)
    if not set(predict.shapes) <= set(KINDS):
        raise InputError(
            f"A folder has pictures of {listed(KINDS)}; {model} takes "
            f"{listed(predict.shapes)}."
        )
    found = {kind: _files(Path(folder), kind) for kind in predict.shapes}
    scenes = sorted({name for files in found.values() for name in files})
    if not scenes:
        raise InputError(f"{folder}: expected pictures in {listed(predict.shapes)}.")
    size = next(iter(predict.shapes.values()))[:2]
    rows = {m: np.broadcast_to(0, (1, *shape)) for m, shape in predict.shapes.items()}
    step, resized = prediction_batch(rows), 0
    for start in range(0, len(scenes), step):
        some = scenes[start : start + step]
        inputs, sizes = _read(found, some, predict.shapes)
        probabilities = predict(inputs).get("probabilities")
        if probabilities is None or probabilities.ndim != 4:
            raise InputError(f"{model} predicts no masks.")
        for name, scores, own in zip(some, probabilities, sizes):
            resized += own != size
            _save(Path(output, f"{name}.png"), _classes(scores, names), own)
    return _notes(found, scenes, size, resized)


def _files(folder, kind):
    return files_of(folder, kind) if (folder / kind).is_dir() else {}


def _read(found, scenes, shapes):
    """Arrays as the model takes them, and the size of each scene."""
    from PIL import Image

    inputs, present, sizes = {}, [], {}
    for kind, shape in shapes.items():
        pictures = np.zeros((len(scenes), *shape[:2], *((3,) if kind == "rgb" else ())))
        for row, name in enumerate(scenes):
            if name not in found[kind]:
                continue
            picture = open_image(found[kind][name], kind)
            sizes.setdefault(name, picture.shape[:2])
            if picture.shape[:2] != shape[:2]:
                smooth = Image.Resampling.BILINEAR
                how = smooth if kind == "rgb" else Image.Resampling.NEAREST
                wide = picture if kind == "rgb" else picture.astype("int32")
                picture = Image.fromarray(wide).resize(shape[1::-1], how)
            pictures[row] = picture
        there = [name in found[kind] for name in scenes]
        inputs[kind] = pictures if kind == "rgb" else normalize(pictures)
        present.append(there)
    mask = np.array(present).T
    return inputs | {MASK: mask}, [tuple(sizes[name]) for name in scenes]


def _classes(scores, names):
    """`(H, W)` uint8 of scores `(H, W, K)`."""
    if scores.shape[-1] == 1:
        return (255 * (scores[..., 0] > 0.5)).astype(np.uint8)
    numbers = np.arange(scores.shape[-1])
    if names and all(name.isdecimal() and int(name) < 256 for name in names):
        numbers = np.array([int(name) for name in names])
    return numbers[scores.argmax(axis=-1)].astype(np.uint8)


def _save(path, mask, size):
    from PIL import Image

    image = Image.fromarray(mask)
    if mask.shape != size:
        image = image.resize(size[::-1], Image.Resampling.NEAREST)
    with whole(path) as beside:
        image.save(beside, "PNG")


def _notes(found, scenes, size, resized):
    notes = [
        f"{len(scenes) - len(files):,} of {len(scenes):,} scenes have no {kind}: it is "
        "absent there"
        for kind, files in found.items()
        if len(files) < len(scenes)
    ]
    if resized:
        notes.append(
            f"{resized:,} of {len(scenes):,} scenes are not {size[0]} x {size[1]}: "
            "they were resized, and their masks back"
        )
    return tuple(notes)
