"""Sounds at a rate of their own -> spectrograms; the same in numpy and TensorFlow.

Resampling is a windowed sinc: `y_t = sum_j x_j c sinc(c (j - t/r)) hann((j - t/r) / h)`
with `r` the new rate over the old, `c = min(1, r)` and `h = 16 / c` samples.
"""

import functools
import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

HIGHEST_RATE = 768_000  # Hz
_CROSSINGS = 16
_BLOCK = 1024  # samples that a graph makes at once
_QUIETEST = 1e-8  # of power; -80 dB


def needed(old: int, new: int, most: int) -> int:
    """How many samples at the old rate decide the first `most` at the new one."""
    return -(-most * old // new) + _half(old, new) + 1


def resampled(x: np.ndarray, old: int, new: int, most: int) -> np.ndarray:
    """The first samples of `(N,)` float64 at another rate.

    Args:
        x: Samples at the old rate.
        old, new: Rates in Hz.
        most: Samples that are wanted; there are at most `ceil(N new / old)`.
    """
    count = min(-(-len(x) * new // old), most)
    if old == new:
        return x[:count]
    weights, half = _phases(old, new)
    padded = np.concatenate([np.zeros(half), x, np.zeros(half + 1)])
    windows = sliding_window_view(padded, 2 * half + 1)
    y = np.empty(count)
    # Every `len(weights)`-th sample has the same place between two old ones.
    step = len(weights) * old // new
    for phase, kernel in enumerate(weights[:count]):
        these = y[phase :: len(weights)]
        first = phase * old // new
        these[:] = windows[first::step][: len(these)] @ kernel
    return y


def resampled_in_graph(tf, x, old, new: int, most: int):
    """`resampled` in TensorFlow; the old rate is a tensor."""
    old = tf.cast(old, tf.int64)
    ratio = tf.cast(new, tf.float64) / tf.cast(old, tf.float64)
    cut = tf.minimum(ratio, 1)
    half = tf.cast(tf.math.ceil(_CROSSINGS / cut), tf.int64)
    count = tf.minimum(-(-tf.size(x, tf.int64) * new // old), most)
    taps = tf.range(2 * half + 1, dtype=tf.int64)
    padded = tf.pad(x, [[half, half + 1]])

    def block(start):
        steps = (start + tf.range(_BLOCK, dtype=tf.int64)) * old
        first, phase = steps // new, steps % new
        apart = tf.cast(taps - half, tf.float64)
        apart -= tf.cast(phase[:, None], tf.float64) / new
        angle = np.pi * cut * apart
        safe = tf.where(angle == 0, tf.ones_like(angle), angle)
        sinc = tf.where(angle == 0, tf.ones_like(angle), tf.sin(safe) / safe)
        window = 0.5 + 0.5 * tf.cos(
            np.pi * tf.clip_by_value(apart * cut / _CROSSINGS, -1, 1)
        )
        # The last block is longer than what is wanted.
        places = tf.minimum(first[:, None] + taps, tf.size(padded, tf.int64) - 1)
        windows = tf.gather(padded, places)
        return tf.reduce_sum(windows * cut * sinc * window, axis=1)

    starts = tf.range(0, count, _BLOCK, dtype=tf.int64)
    blocks = tf.map_fn(block, starts, fn_output_signature=tf.float64)
    return tf.reshape(blocks, [-1])[:count]


def log_mel(x: np.ndarray, matrix: np.ndarray, length: int, step: int) -> np.ndarray:
    """`(T, mels)` decibels of power, of windows around every `step`-th sample.

    What `keras.layers.MelSpectrogram` gives with `min_power=1e-8` and a `top_db`
    that cuts nothing,
    transposed.

    Args:
        x: `(N,)` float64, more than half a window.
        matrix: `(length // 2 + 1, mels)`, from `mel_matrix`.
        length, step: Samples of a window, and from one to the next.
    """
    padded = np.pad(x, length // 2, mode="reflect")
    count = 1 + (len(padded) - length) // step
    windows = padded[np.arange(count)[:, None] * step + np.arange(length)]
    power = np.abs(np.fft.rfft(windows * _hann(length))) ** 2
    return 10 * np.log10(np.maximum(power @ matrix, _QUIETEST))


def log_mel_in_graph(tf, x, matrix: np.ndarray, length: int, step: int):
    """`log_mel` in TensorFlow."""
    half = length // 2
    padded = tf.pad(x, [[half, half]], mode="REFLECT")
    windows = tf.signal.frame(padded, length, step) * _hann(length)
    power = tf.abs(tf.signal.rfft(windows)) ** 2
    mels = tf.maximum(power @ tf.constant(matrix, tf.float64), _QUIETEST)
    return 10 * tf.math.log(mels) / np.log(10)


@functools.lru_cache(maxsize=8)
def mel_matrix(rate: int, length: int, mels: int) -> np.ndarray:
    """`(length // 2 + 1, mels)`: from the power of frequencies to that of mel bands.

    Reference: O'Shaughnessy, 1987, Speech Communication (the scale `2595 log(1 + f /
    700)` in base 10).
    """

    def mel(frequency):
        return 2595 * np.log10(1 + frequency / 700)

    # Keras leaves out the constant frequency.
    bins = mel(np.linspace(0, rate / 2, length // 2 + 1)[1:])[:, None]
    edges = np.linspace(mel(20.0), mel(rate / 2), mels + 2)
    low, center, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (bins - low) / (center - low), (high - bins) / (high - center)
    return np.pad(np.maximum(0, np.minimum(rise, fall)), [(1, 0), (0, 0)])


def _hann(length):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def _half(old, new):
    """Old samples on each side that a new one is made of."""
    return math.ceil(_CROSSINGS / min(new / old, 1))


@functools.lru_cache(maxsize=16)
def _phases(old, new):
    """Weights `(phases, 2 half + 1)` of the first new samples, before they recur."""
    cut = min(new / old, 1)
    half = _half(old, new)
    phases = new // math.gcd(old, new)
    between = np.arange(phases) * old % new / new
    apart = np.arange(-half, half + 1) - between[:, None]
    window = 0.5 + 0.5 * np.cos(np.pi * np.clip(apart * cut / _CROSSINGS, -1, 1))
    return cut * np.sinc(cut * apart) * window, half
