"""One's own images: the folders rgb/, depth/ and mask/ -> raw arrays."""

from pathlib import Path

import numpy as np

from keras_fusion.datasets.arrays import listed
from keras_fusion.datasets.dataset import Raw
from keras_fusion.datasets.depth import normalize
from keras_fusion.datasets.errors import DataError
from keras_fusion.datasets.pictures import Unreadable, opened

# A lossy mask has classes that nobody drew, a lossy depth has steps at block borders.
SUFFIXES = {"rgb": (".png", ".jpg", ".jpeg"), "depth": (".png",), "mask": (".png",)}
_ONE_CHANNEL = ("1", "L", "P", "I", "I;16", "I;16B")


def read_images(path: str | Path) -> Raw:
    """Color, normalized depth and masks, as `columns` reads them."""
    images = columns(path)
    inputs = {"rgb": images["rgb"], "depth": normalize(images["depth"])}
    return Raw(inputs, images["mask"], None)


def columns(path: str | Path) -> dict[str, np.ndarray]:
    """Color, depth and masks of the same scenes, matched by file name.

    Images are turned as their EXIF orientation says, each by its own: a camera turns
    what it takes, and no mask that was drawn on it.

    Args:
        path: A folder with `rgb/` (PNG or JPEG), `depth/` (PNG of 8 or 16 bit, any
            unit, 0 = no reading) and `mask/` (PNG of one channel, the number of each
            pixel's class; two values are foreground and background; of one bit a
            pixel all or none).

    Returns:
        `rgb` `(N, H, W, 3)`, `depth` and `mask` `(N, H, W)`, by name of file.

    Raises:
        DataError: If a folder is missing or empty, an image has no partner of its
            name, is unreadable or of another kind, or if sizes differ.
        ImportError: If Pillow is not installed.
    """
    root = Path(path).expanduser()
    files = {kind: files_of(root, kind) for kind in SUFFIXES}
    for kind in ("depth", "mask"):
        _require_partners(root, files["rgb"], kind, files[kind])
    images, first, count = {}, None, len(files["rgb"])
    for row, name in enumerate(files["rgb"]):
        scene = {kind: open_image(found[name], kind) for kind, found in files.items()}
        first = first or scene
        _require_one_size(name, root, scene, first["rgb"])
        _require_one_kind(name, root, scene["mask"], first["mask"])
        for kind, image in scene.items():
            images[kind] = _put(images.get(kind), row, image, count)
    return images


def _put(images, row, image, count):
    """All images of a kind with one more, in an array that is there from the first."""
    if images is None:
        images = np.empty((count, *image.shape), image.dtype)
    dtype = np.promote_types(images.dtype, image.dtype)
    images = images.astype(dtype, copy=False)
    images[row] = image
    return images


def files_of(root: Path, kind: str) -> dict[str, Path]:
    """The pictures of one kind, `root/kind/`, by name without suffix, sorted.

    Raises:
        DataError: If there is no such folder, it is empty, or a name comes twice.
    """
    folder = root / kind
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; expected rgb/, depth/ and mask/ in {root}."
        )
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in SUFFIXES[kind]:
            if file.stem in found:
                raise DataError(f"{folder}: several images are called {file.stem!r}.")
            found[file.stem] = file
    if not found:
        raise DataError(
            f"{folder}: expected images ending in {', '.join(SUFFIXES[kind])}; "
            "there are none."
        )
    return found


def _require_partners(root, rgb, kind, found):
    for missing, where in ((rgb.keys() - found, kind), (found.keys() - rgb, "rgb")):
        if missing:
            raise DataError(
                f"{root}: {where}/ has no image called {listed(sorted(missing))}; "
                f"rgb/ and {kind}/ must hold the same names."
            )


def open_image(file: Path, kind: str) -> np.ndarray:
    """`(H, W, 3)` of `"rgb"`, else `(H, W)`, turned as the file's EXIF data say.

    Raises:
        DataError: If it cannot be read, or has several channels and is no `"rgb"`.
        ImportError: If Pillow is not installed.
    """
    try:
        with opened(file) as stored:
            from PIL import ImageOps

            image = ImageOps.exif_transpose(stored)
            if kind == "rgb":
                return np.asarray(image.convert("RGB"))
            if image.mode in _ONE_CHANNEL:
                return np.asarray(image)
    except Unreadable as error:
        raise DataError(f"{file}: cannot be read as an image ({error}).") from error
    raise DataError(f"{file}: expected one channel; received {image.mode}.")


def _require_one_size(name, root, scene, first):
    """The image of each kind has the size of the first one of all."""
    expected = first.shape[:2]
    for kind, image in scene.items():
        size = image.shape[:2]
        if size != expected:
            raise DataError(
                f"{root}: all images and masks must be of one size, height x width; "
                f"{kind}/{name} is {size[0]} x {size[1]}, the first of rgb/ is "
                f"{expected[0]} x {expected[1]}."
            )


def _require_one_kind(name, root, mask, first):
    """One bit a pixel is 0 or 1, where other tools may have written 0 and 255."""
    kinds = ["one bit" if x.dtype == bool else "a number" for x in (first, mask)]
    if kinds[0] != kinds[1]:
        raise DataError(
            f"{root}: masks must all be of one kind; mask/{name} has {kinds[1]} for "
            f"each pixel, the first of mask/ has {kinds[0]}."
        )
