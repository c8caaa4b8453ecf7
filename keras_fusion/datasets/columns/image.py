"""Pictures -> bytes of color `(H, W, 3)` of one size.

What is transparent lies on white. A picture is stretched to its size by a triangle
filter as wide as the pixels of the coarser side, so that nothing is skipped; the
formula is the same in numpy and in TensorFlow. Graphs read PNG and JPEG, of gray or
RGB.
"""

import functools
import io

import numpy as np

from keras_fusion.datasets.columns.contents import (
    decoded_in_graph,
    each,
    gathered,
    named_so,
    some,
    stacked,
)

RAW = "string"
FILES = True
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_LARGEST = 96
_PNG = b"\x89PNG"
_END = b"IEND\xaeB`\x82"  # which ends a whole PNG
_BROKEN = OSError, ValueError, SyntaxError  # what Pillow raises
_TIE = 1e-6  # sums that differ in the last digit must not be rounded apart


def infer(values) -> bool:
    """Whether nearly all values are names of pictures."""
    return named_so(values, _SUFFIXES)


def fit(values, *, size: tuple[int, int] | None = None) -> dict:
    """The size of the pictures.

    Args:
        values: `(N,)` paths, or bytes.
        size: Height and width; None is the median of the training rows, 96 at most.

    Raises:
        ValueError: If no picture can be read, or the size is no pair of sizes.
    """
    shapes = some(_shape, values)
    if not shapes:
        raise ValueError("expected a picture that can be read in the training rows")
    if size is None:
        size = np.minimum(np.median(shapes, axis=0), _LARGEST).round()
    size = [int(n) for n in size]
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"expected size to be [height, width]; received {size}")
    return {"size": size}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, H, W, 3)` uint8 and `(N,)` bool, False where there is no whole picture."""
    size = tuple(state["size"])

    def read(data):
        pixels = _pixels(data)
        return None if pixels is None else _resized(pixels, size)

    return stacked(each(read, values), len(values), (*size, 3), np.uint8)


def graph(state: dict):
    """`encode` of a string tensor `(N,)` of bytes, in TensorFlow."""
    import tensorflow as tf

    height, width = state["size"]

    def decode(data):
        pixels = tf.cond(
            tf.strings.substr(data, 0, 4) == _PNG,
            # Asked for four channels it takes 15 of 255 for opaque in small palettes.
            lambda: tf.io.decode_png(data),
            lambda: tf.io.decode_jpeg(data, dct_method="INTEGER_ACCURATE"),
        )
        pixels = _on_white_in_graph(tf, tf.cast(pixels, tf.float64))
        shape = tf.cast(tf.shape(pixels), tf.float64)
        rows = _weights_in_graph(tf, shape[0], height)
        columns = _weights_in_graph(tf, shape[1], width)
        pixels = tf.einsum("ih,hwc->iwc", rows, pixels)
        pixels = tf.einsum("jw,iwc->ijc", columns, pixels)
        return tf.cast(tf.floor(pixels + 0.5 + _TIE), tf.uint8)

    def run(strings):
        return decoded_in_graph(decode, strings, (height, width, 3), tf.uint8)

    return run


def raw(values, state: dict) -> np.ndarray:
    """`(N,)` bytes as a graph takes them: PNG or JPEG, empty where there is none."""
    return gathered(_as_png, values)


def words(state: dict) -> str:
    """What there is to say of the column."""
    height, width = state["size"]
    return f"{height} x {width} pixels"


def _as_png(data):
    try:
        with _open(data) as picture:
            if picture.format in ("PNG", "JPEG") and picture.mode != "CMYK":
                return data
            stream = io.BytesIO()
            picture.convert("RGBA").save(stream, "PNG")
            return stream.getvalue()
    except _BROKEN:
        return None


def _open(data):
    from PIL import Image

    return Image.open(io.BytesIO(data))


def _shape(data):
    try:
        with _open(data) as picture:
            return picture.size[::-1]
    except _BROKEN:
        return None


def _pixels(data):
    """`(H, W, 3)` float64 on white; None where the picture is not whole."""
    if data[:4] == _PNG and _END not in data:
        return None
    try:
        with _open(data) as picture:
            if picture.mode in ("1", "L") or picture.mode.startswith("I;16"):
                # As TensorFlow has it: the upper byte, and no transparent gray.
                high = picture.mode.startswith("I")
                gray = (
                    np.asarray(picture, np.uint16) >> 8
                    if high
                    else picture.convert("L")
                )
                return np.repeat(np.asarray(gray, np.float64)[..., None], 3, axis=2)
            rgba = np.asarray(picture.convert("RGBA"), np.float64)
    except _BROKEN:
        return None
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


def _resized(pixels, size):
    rows, columns = (_weights(n, m) for n, m in zip(pixels.shape, size))
    pixels = np.einsum("ih,hwc->iwc", rows, pixels, optimize=True)
    pixels = np.einsum("jw,iwc->ijc", columns, pixels, optimize=True)
    return np.floor(pixels + 0.5 + _TIE).astype(np.uint8)


@functools.lru_cache(maxsize=256)
def _weights(there, wanted):
    """`(wanted, there)`: how much of each old pixel is in each new one."""
    scale = there / wanted
    centers = (np.arange(wanted) + 0.5) * scale
    apart = np.abs(np.arange(there) + 0.5 - centers[:, None])
    weights = np.maximum(1 - apart / max(scale, 1), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _weights_in_graph(tf, there, wanted):
    scale = there / wanted
    centers = (tf.range(wanted, dtype=tf.float64) + 0.5) * scale
    apart = tf.abs(tf.range(there, dtype=tf.float64) + 0.5 - centers[:, None])
    weights = tf.maximum(1 - apart / tf.maximum(scale, 1), 0)
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)


def _on_white_in_graph(tf, pixels):
    """`(H, W, 3)` of gray or color, with or without opacity."""
    channels = tf.shape(pixels)[-1]
    colors = tf.repeat(pixels[..., :1], 3, axis=2)
    colors = tf.cond(channels > 2, lambda: pixels[..., :3], lambda: colors)
    opaque = tf.fill(tf.shape(pixels[..., :1]), tf.constant(255, pixels.dtype))
    alpha = tf.cond(channels % 2 == 0, lambda: pixels[..., -1:], lambda: opaque) / 255
    return colors * alpha + 255 * (1 - alpha)
