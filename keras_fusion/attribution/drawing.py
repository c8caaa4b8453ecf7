"""Contributions drawn over what they are of: a picture, a series, words, columns."""

import html
from collections.abc import Sequence

import numpy as np

from keras_fusion.common.errors import InputError

FOR, AGAINST = (200, 30, 40), (30, 80, 200)  # red and blue, told apart by all eyes


def over_picture(picture, values, strength: float = 0.8) -> np.ndarray:
    """A gray picture with red where it speaks for a prediction, blue where against it.

    Args:
        picture: `(H, W)` or `(H, W, C)` of any range.
        values: `(H, W)` or `(H, W, C)` contributions, which are summed over channels;
            the largest has the full color.
        strength: Share of the color there, from 0 to 1.

    Returns:
        `(H, W, 3)` uint8.

    Raises:
        ValueError: If picture and values differ in size.
    """
    gray, values = (_plane(np.asarray(x, np.float64)) for x in (picture, values))
    if gray[0].shape != values[0].shape:
        raise InputError(
            "over_picture expects a picture and values of one size; received "
            f"{gray[0].shape} and {values[0].shape}."
        )
    light = gray[1] - gray[1].min()
    light = 255 * light / max(light.max(), 1e-12)
    share = _shares(values[0])[..., None]  # (H, W, 1), from -1 to 1
    color = np.where(share > 0, FOR, AGAINST)
    part = strength * np.abs(share)
    return ((1 - part) * light[..., None] + part * color).round().astype(np.uint8)


def over_words(words: Sequence[str], values) -> str:
    """HTML of words, or names of columns, each on red (for) or blue (against).

    Args:
        words: T texts; they are escaped.
        values: `(T,)` contributions; the largest has the full color.

    Raises:
        ValueError: If there are not as many values as words.
    """
    values = np.asarray(values, np.float64)
    if values.shape != (len(words),):
        raise InputError(
            f"over_words expects a value for each of {len(words)} words; received "
            f"shape {values.shape}."
        )
    spans = []
    for word, value, share in zip(words, values, _shares(values), strict=True):
        color = _css(share)
        spans.append(
            f'<span style="background:{color}" title="{value:+.3g}">'
            f"{html.escape(word)}</span>"
        )
    return " ".join(spans)


def over_series(series, values, width: int = 640, height: int = 80) -> str:
    """SVG of a series, a line for each channel on red (for) or blue (against).

    Args:
        series: `(T,)` or `(T, C)` of any range, C channels one below the other.
        values: Contributions in the shape of the series; the largest has the full
            color.
        width: Of the picture, in pixels.
        height: Of each channel, in pixels.

    Raises:
        ValueError: If series and values differ in shape.
    """
    series, values = (np.asarray(x, np.float64) for x in (series, values))
    if series.shape != values.shape or series.ndim not in (1, 2) or not series.size:
        raise InputError(
            "over_series expects a series (T,) or (T, C) and values of its shape; "
            f"received {series.shape} and {values.shape}."
        )
    lines, shares = (x.reshape(len(x), -1).T for x in (series, _shares(values)))
    step = width / len(series)
    channels = [
        f'<g transform="translate(0 {height * c})">{_channel(*drawn, step, height)}</g>'
        for c, drawn in enumerate(zip(lines, shares))
    ]
    size = f'width="{width}" height="{height * len(channels)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(channels)}</svg>'


def _channel(line, shares, step, height):
    colors = [
        f'<rect x="{t * step:.2f}" width="{step:.2f}" height="{height}" '
        f'fill="{_css(share)}"/>'
        for t, share in enumerate(shares)
    ]
    part = (line - line.min()) / max(np.ptp(line), 1e-300)  # from 0 to 1
    points = " ".join(
        f"{(t + 0.5) * step:.2f},{height * (0.95 - 0.9 * y):.2f}"
        for t, y in enumerate(part)
    )
    return f'{"".join(colors)}<polyline points="{points}" fill="none" stroke="black"/>'


def _css(share):
    red, green, blue = FOR if share > 0 else AGAINST
    return f"rgba({red},{green},{blue},{0.7 * abs(share):.2f})"


def _plane(x):
    """The sum over channels, and their mean."""
    return (x, x) if x.ndim == 2 else (x.sum(axis=-1), x.mean(axis=-1))


def _shares(values):
    """From -1 to 1, of the largest absolute value."""
    return values / max(np.abs(values).max(initial=0), 1e-300)
