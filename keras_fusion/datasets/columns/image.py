"""Pictures -> bytes of color `(H, W, 3)` of one size.

What is transparent lies on white. A picture is stretched to its size by a triangle
filter as wide as the pixels of the coarser side, so that nothing is skipped; the
formula is the same in numpy and in TensorFlow, some rows at a time, since a small file
may hold a huge picture. Graphs read PNG and JPEG, of gray or RGB.
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
from keras_fusion.datasets.pictures import LONGEST, MOST_PIXELS, Unreadable, opened

RAW = "string"
FILES = True
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_LARGEST = 96
_PNG = b"\x89PNG"
_END = b"IEND\xaeB`\x82"  # which ends a whole PNG
_ROWS = 256  # of pixels that are numbers at once
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
        is_png = tf.strings.substr(data, 0, 4) == _PNG
        shape = tf.cond(
            is_png,
            # Its header has the width first.
            lambda: tf.io.decode_raw(
                tf.strings.substr(data, 16, 8), tf.int32, little_endian=False
            )[::-1],
            lambda: tf.io.extract_jpeg_shape(data)[:2],
        )
        with tf.control_dependencies(_small_enough(tf, shape)):
            data = tf.identity(data)
        pixels = tf.cond(
            is_png,
            # Asked for four channels it takes 15 of 255 for opaque in small palettes.
            lambda: tf.io.decode_png(data),
            lambda: tf.io.decode_jpeg(data, dct_method="INTEGER_ACCURATE"),
        )
        sides = tf.cast(shape, tf.float64)
        rows = _weights_in_graph(tf, sides[0], height)
        columns = _weights_in_graph(tf, sides[1], width)

        def add(total, top):
            part = tf.cast(pixels[top : top + _ROWS], tf.float64)
            part = _on_white_in_graph(tf, part)
            part = tf.einsum("jw,hwc->hjc", columns, part)
            return total + tf.einsum("ih,hjc->ijc", rows[:, top : top + _ROWS], part)

        empty = tf.zeros((height, width, 3), tf.float64)
        pixels = tf.foldl(add, tf.range(0, shape[0], _ROWS), empty)
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
        with opened(io.BytesIO(data)) as picture:
            if picture.format in ("PNG", "JPEG") and picture.mode != "CMYK":
                return data
            stream = io.BytesIO()
            picture.convert("RGBA").save(stream, "PNG")
            return stream.getvalue()
    except Unreadable:
        return None


def _shape(data):
    try:
        with opened(io.BytesIO(data)) as picture:
            return picture.size[::-1]
    except Unreadable:
        return None


def _pixels(data):
    """`(H, W, 1 or 4)` uint8, gray or RGBA; None where the picture is not whole."""
    if data[:4] == _PNG and _END not in data:
        return None
    try:
        with opened(io.BytesIO(data)) as picture:
            if picture.mode.startswith("I;16"):
                # As TensorFlow has it: the upper byte, and no transparent gray.
                return (np.asarray(picture, np.uint16) >> 8).astype(np.uint8)[..., None]
            if picture.mode in ("1", "L"):
                return np.asarray(picture.convert("L"))[..., None]
            return np.asarray(picture.convert("RGBA"))
    except Unreadable:
        return None


def _on_white(pixels):
    """`(H, W, 3)` of `(H, W, 1 or 4)`, both float64."""
    if pixels.shape[2] == 1:
        return np.repeat(pixels, 3, axis=2)
    alpha = pixels[..., 3:] / 255
    return pixels[..., :3] * alpha + 255 * (1 - alpha)


def _resized(pixels, size):
    if pixels.shape[:2] == size:  # of which the filter is the identity
        pixels = _on_white(pixels.astype(np.float64))
        return np.floor(pixels + 0.5 + _TIE).astype(np.uint8)
    rows, columns = (_weights(n, m) for n, m in zip(pixels.shape, size))
    total = np.zeros((*size, 3))
    for top in range(0, len(pixels), _ROWS):
        part = _on_white(pixels[top : top + _ROWS].astype(np.float64))
        part = np.einsum("jw,hwc->hjc", columns, part, optimize=True)
        part = np.einsum("ih,hjc->ijc", rows[:, top : top + _ROWS], part, optimize=True)
        total += part
    return np.floor(total + 0.5 + _TIE).astype(np.uint8)


@functools.lru_cache(maxsize=16)
def _weights(there, wanted):
    """`(wanted, there)`: how much of each old pixel is in each new one."""
    scale = there / wanted
    centers = (np.arange(wanted) + 0.5) * scale
    apart = np.abs(np.arange(there) + 0.5 - centers[:, None])
    weights = np.maximum(1 - apart / max(scale, 1), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _small_enough(tf, shape):
    """What fails in a graph where a picture is larger than `opened` takes it."""
    sides = tf.cast(shape, tf.int64)
    return [
        tf.debugging.assert_positive(sides),
        tf.debugging.assert_less_equal(sides, tf.constant(LONGEST, tf.int64)),
        tf.debugging.assert_less_equal(
            tf.reduce_prod(sides), tf.constant(MOST_PIXELS, tf.int64)
        ),
    ]


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
