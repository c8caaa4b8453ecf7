"""Files, or their bytes, as columns of pictures, sounds and arrays name them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_fusion.datasets.columns.values import as_text, given, missing

_THREADS = 8
_SAMPLE = 100
_LARGEST = 2**30  # bytes of one file


def named_so(values, suffixes: tuple[str, ...]) -> bool:
    """Whether nearly all values are names of files with one of these endings."""
    names = given(as_text(values))
    fit = [name.lower().endswith(suffixes) for name in names]
    return bool(names) and float(np.mean(fit)) >= 0.95


def content(value) -> bytes | None:
    """The bytes of a file, or those given; None where there is no such file.

    A pipe or a device is no file: it may have no end.
    """
    if isinstance(value, bytes):
        return value or None
    if value is None or missing([value])[0]:
        return None
    path = Path(str(value))
    try:
        small = path.is_file() and path.stat().st_size <= _LARGEST
        return path.read_bytes() if small else None
    except OSError:
        return None


def each(function, values) -> Iterator:
    """`function` of the content of every value, in order; of None None."""

    def read(value):
        found = content(value)
        return None if found is None else function(found)

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(read, values)


def spread(values) -> list:
    """A hundred values that are there, or a few more, from the whole column."""
    there = np.flatnonzero(~missing(values))
    return [values[i] for i in there[:: max(1, len(there) // _SAMPLE)]]


def some(function, values) -> list:
    """`function` of the contents of `spread`, what it can read of them."""
    return [x for x in each(function, spread(values)) if x is not None]


def gathered(function, values) -> np.ndarray:
    """`function` of every content, `(N,)` bytes; nothing where it cannot be read."""
    found = np.empty(len(values), object)
    found[:] = [x or b"" for x in each(function, values)]
    return found


def stacked(rows, count: int, shape: tuple[int, ...], dtype):
    """`(N, *shape)` with zeros where a row is None, and `(N,)` bool."""
    array, present = np.zeros((count, *shape), dtype), np.zeros(count, bool)
    for i, row in enumerate(rows):
        if row is not None:
            array[i], present[i] = row, True
    return array, present


def decoded_in_graph(decode, strings, shape: tuple[int, ...], dtype):
    """`decode` of every string, in TensorFlow, as `stacked` gives it.

    A string that `decode` fails on is absent: its row alone, not the whole request.
    """
    import tensorflow as tf

    count = tf.size(strings)
    numbered = tf.data.Dataset.from_tensor_slices((tf.range(count), strings))
    rows = numbered.map(lambda i, string: (i, decode(string)))
    rows = rows.ignore_errors().batch(_SAMPLE)
    empty = tf.zeros(tf.concat([[count], shape], axis=0), dtype)

    def put(state, found):
        array, present = state
        places = found[0][:, None]
        there = tf.ones(tf.shape(places)[:1], tf.bool)
        return (
            tf.tensor_scatter_nd_update(array, places, found[1]),
            tf.tensor_scatter_nd_update(present, places, there),
        )

    return rows.reduce((empty, tf.zeros([count], tf.bool)), put)
