"""Truth values -> codes, as those of categories: 2 is false, 3 is true."""

import numpy as np

from keras_fusion.datasets.columns.category import FIRST, MISSING, UNSEEN
from keras_fusion.datasets.columns.lookup import lookup, name_of
from keras_fusion.datasets.columns.values import as_names, given

RAW = "string"
_FALSE = ("false", "no", "n", "f", "off", "0")
_TRUE = ("true", "yes", "y", "t", "on", "1")
_CODES = {word: FIRST for word in _FALSE} | {word: FIRST + 1 for word in _TRUE}


def infer(values) -> bool:
    """Whether the values are words for true and false, and both are there."""
    there = {_lower(text) for text in given(as_names(values))}
    return there <= _CODES.keys() and len({_CODES[word] for word in there}) == 2


def fit(values) -> dict:
    """Nothing is learned: the words for true and false are known."""
    return {}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, 1)` float32 codes and `(N,)` bool."""
    texts = as_names(values).tolist()
    present = np.array([bool(text) for text in texts], bool)
    found = [_CODES.get(_lower(text), UNSEEN) if text else MISSING for text in texts]
    return np.array(found, np.float32)[:, None], present


def graph(state: dict):
    """`encode` of a string tensor `(N,)`, in TensorFlow."""
    import tensorflow as tf

    codes = lookup(_CODES.keys(), _CODES.values(), UNSEEN)

    def run(strings):
        strings = tf.strings.lower(name_of(strings))
        present = tf.strings.length(strings) > 0
        found = tf.where(present, codes(strings), tf.zeros([], tf.int64) + MISSING)
        return tf.cast(found, "float32")[:, None], present

    run.resources = codes.resources
    return run


def width(state: dict) -> int:
    """The features of one value."""
    return 1


def embedding(state: dict) -> dict:
    """The column as `ColumnEmbedding` takes it."""
    return {"codes": FIRST + 2}


def words(state: dict) -> str:
    """What there is to say of the column."""
    return ""


def _lower(text):
    """Lower case of ASCII letters alone, as TensorFlow makes it."""
    return text.encode("utf-8", "replace").lower().decode()
