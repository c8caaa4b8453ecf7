"""Sounds -> spectrograms `(T, mels)` of one length, in standardized decibels.

A sound is the mean of its channels, in 16 bits, at a rate of one's own. Graphs read
wav files of 16 bits; what trains may be any format that soundfile reads.
"""

import contextlib
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
from keras_fusion.datasets.columns.sound import (
    HIGHEST_RATE,
    log_mel,
    log_mel_in_graph,
    mel_matrix,
    needed,
    resampled,
    resampled_in_graph,
)

RAW = "string"
FILES = True
_SUFFIXES = (".wav", ".ogg", ".flac", ".mp3", ".opus", ".aif", ".aiff")
_LOUDEST = 1 << 15
_LONGEST = 10.0


def infer(values) -> bool:
    """Whether nearly all values are names of sounds."""
    return named_so(values, _SUFFIXES)


def fit(
    values,
    *,
    rate: int = 16_000,
    seconds: float | None = None,
    mels: int = 64,
    step: float = 0.02,
) -> dict:
    """The length of the sounds, and mean and deviation of their decibels.

    Args:
        values: `(N,)` paths, or bytes.
        rate: Samples in a second, to which all are brought.
        seconds: What is kept of a sound, from its start; None is enough for 95 of 100,
            10 at most.
        mels: Bands of frequencies.
        step: Seconds from one window to the next; a window is twice as long, rounded
            up to a power of two.

    Raises:
        ValueError: If no sound can be read, or a number is not positive.
    """
    if min(rate, mels, step, 1 if seconds is None else seconds) <= 0:
        raise ValueError("expected rate, seconds, mels and step above 0")
    if seconds is None:
        lengths = some(_seconds, values)
        # Where there is none, no sound can be read either.
        seconds = min(float(np.quantile(lengths or [0], 0.95)), _LONGEST)
    window = 1 << int(np.ceil(np.log2(2 * step * rate)))
    samples = max(int(np.ceil(seconds * rate)), window)
    sounds = some(lambda data: _samples(data, rate, samples), values)
    if not sounds:
        raise ValueError("expected a sound that can be read in the training rows")
    state = {
        "rate": int(rate),
        "samples": samples,
        "mels": int(mels),
        "window": window,
        "step": int(round(step * rate)),
        "mean": 0.0,
        "std": 1.0,
    }
    decibels = np.concatenate([_encoded(*sound, state) for sound in sounds])
    deviation = float(decibels.std())
    return state | {"mean": float(decibels.mean()), "std": deviation or 1.0}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, T, mels)` float32 and `(N,)` bool, False where there is no sound.

    Silence stands behind a sound that is too short.
    """

    def read(data):
        sound = _samples(data, state["rate"], state["samples"])
        return None if sound is None else _encoded(*sound, state)

    shape = 1 + state["samples"] // state["step"], state["mels"]
    return stacked(each(read, values), len(values), shape, np.float32)


def graph(state: dict):
    """`encode` of a string tensor `(N,)` of bytes, in TensorFlow."""
    import tensorflow as tf

    length, window, step = state["samples"], state["window"], state["step"]
    matrix = mel_matrix(state["rate"], window, state["mels"])

    def decode(data):
        sound, old = tf.audio.decode_wav(data)
        least = tf.minimum(tf.size(sound), old)
        assertions = [
            tf.debugging.assert_positive(least),
            tf.debugging.assert_less_equal(old, HIGHEST_RATE),
        ]
        with tf.control_dependencies(assertions):
            x = tf.reduce_mean(tf.cast(sound, tf.float64), axis=1)
        x = resampled_in_graph(tf, x, old, state["rate"], length)
        x = tf.pad(x, [[0, length - tf.size(x)]])
        decibels = log_mel_in_graph(tf, x, matrix, window, step)
        return tf.cast((decibels - state["mean"]) / state["std"], tf.float32)

    def run(strings):
        shape = 1 + length // step, state["mels"]
        return decoded_in_graph(decode, strings, shape, tf.float32)

    return run


def raw(values, state: dict) -> np.ndarray:
    """`(N,)` bytes as a graph takes them: wav files, empty where there is none."""

    def as_wav(data):
        return _as_wav(data, state["rate"], state["samples"])

    return gathered(as_wav, values)


def words(state: dict) -> str:
    """What there is to say of the column."""
    seconds = state["samples"] / state["rate"]
    return f"{seconds:.1f} seconds at {state['rate']:,} Hz, {state['mels']} mel bands"


def _as_wav(data, rate, most):
    sound = _read(data, rate, most)
    if sound is None:
        return None
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, *sound, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def _read(data, rate, most):
    """`(N, C)` int16 and the rate; None where it is no sound.

    There may be hours behind what the first `most` samples at `rate` are made of.
    """
    with _opened(data) as file:
        if file is None:
            return None
        try:
            count = needed(file.samplerate, rate, most)
            samples = file.read(count, dtype="int16", always_2d=True)
        except (RuntimeError, OSError, ValueError):
            return None
        return (samples, file.samplerate) if len(samples) else None


def _samples(data, rate, most):
    found = _read(data, rate, most)
    return None if found is None else (found[0].mean(axis=1) / _LOUDEST, found[1])


def _seconds(data):
    with _opened(data) as file:
        return None if file is None else file.frames / file.samplerate


class _Bytes(io.BytesIO):
    """Bytes before the first of which is the first: a broken header may ask for them.

    soundfile would print the error of an `io.BytesIO`, and nobody could catch it.
    """

    def seek(self, offset, whence=io.SEEK_SET):
        start = (0, self.tell(), len(self.getbuffer()))[whence]
        return super().seek(max(start + offset, 0))


@contextlib.contextmanager
def _opened(data):
    """A `soundfile.SoundFile`, or None where it is no sound or has an odd rate."""
    import soundfile

    # soundfile would take what is left of a file that is cut off.
    if data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 > len(data):
        yield None
        return
    try:
        file = soundfile.SoundFile(_Bytes(data))
    except (RuntimeError, OSError, ValueError):
        yield None
        return
    with file:
        yield file if 0 < file.samplerate <= HIGHEST_RATE else None


def _encoded(x, old, state):
    x = resampled(x, old, state["rate"], state["samples"])
    x = np.pad(x, (0, state["samples"] - len(x)))
    matrix = mel_matrix(state["rate"], state["window"], state["mels"])
    decibels = log_mel(x, matrix, state["window"], state["step"])
    return (decibels - state["mean"]) / state["std"]
