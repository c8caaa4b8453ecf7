"""One value of a row as a browser shows it: text, numbers, a picture or a sound."""

import base64
import io

import numpy as np

from keras_fusion.common.escaping import printable

_PNG = b"\x89PNG"
_BARS = 256
_LONGEST = 2000  # characters of a text
# Of classes on a map, as people who see colors differently tell them apart (Okabe and
# Ito, 2008); beyond them they begin again.
COLORS = (
    "#000000",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
)


def shown(kind: str, value) -> dict | None:
    """What the page makes of a value, None where there is none.

    Args:
        kind: Of `rows.Seen`.
        value: One of its values.

    Returns:
        dict of JSON with `text`, `numbers`, or the `source` of a `picture` or `sound`.
    """
    if kind == "picture":
        mime = "image/png" if value[:4] == _PNG else "image/jpeg"
        return _source(kind, mime, value) if value else None
    if kind == "sound":
        return _source(kind, "audio/wav", value) if value else None
    if kind == "text":
        return _text(value)
    return _numbers(np.asarray(value))


def class_map(scores: np.ndarray) -> str:
    """The address of a picture of the likeliest classes.

    Args:
        scores: `(H, W, K)` probabilities; of one class the brightness is its own.
    """
    if scores.shape[-1] == 1:
        pixels = np.round(255 * np.nan_to_num(scores[..., 0])).astype(np.uint8)
    else:
        colors = np.array([list(bytes.fromhex(c[1:])) for c in COLORS], np.uint8)
        pixels = colors[scores.argmax(axis=-1) % len(COLORS)]
    return _source("picture", "image/png", _png(pixels))["source"]


def _source(kind, mime, content):
    encoded = base64.b64encode(content).decode()
    return {"kind": kind, "source": f"data:{mime};base64,{encoded}"}


def _text(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        value = f"{float(value):.5g}" if np.isfinite(value) else ""
    text = printable(value)[:_LONGEST]
    return {"kind": "text", "text": text} if text else None


def _numbers(x):
    x = np.asarray(x, np.float64)
    if np.isnan(x).all():
        return None
    x = np.nan_to_num(x)
    if x.size <= _BARS:
        return {"kind": "numbers", "numbers": [float(f"{n:.5g}") for n in x.ravel()]}
    return _source("picture", "image/png", _png(_pixels(x)))


def _pixels(x):
    """`(h, w)` or `(h, w, 3)` bytes of an array of any rank."""
    if x.ndim == 4:  # a video
        x = x[len(x) // 2]
    if x.ndim == 3:  # color, or the first channel
        x = x if x.shape[-1] == 3 else x[..., 0]
    elif x.ndim == 2:  # time to the right, the first feature at the bottom
        x = x.T[::-1]
    else:
        x = x.reshape(len(x), -1) if x.ndim > 2 else x[None]
    low, high = (0, 255) if _are_bytes(x) else (x.min(), x.max())
    return np.round((x - low) / (high - low or 1) * 255).astype(np.uint8)


def _are_bytes(x):
    return x.min() >= 0 and 1 < x.max() <= 255 and not (x % 1).any()


def _png(pixels):
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Pictures need Pillow: pip install "keras-fusion[datasets]".'
        ) from error
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
