"""Names of categories -> codes: 0 is missing, 1 was not seen in training."""

from collections import Counter

import numpy as np

from keras_fusion.datasets.columns.lookup import lookup, name_of
from keras_fusion.datasets.columns.values import as_names, given, missing

RAW = "string"
MISSING, UNSEEN, FIRST = 0, 1, 2
_MOST = 1000


def infer(values) -> bool:
    """Whether some value comes back: names that all differ say nothing about others."""
    there = given(as_names(values))
    return len(set(there)) < len(there)


def fit(values, *, limit: int = _MOST) -> dict:
    """The categories of the training rows, the most frequent first.

    A category that is there once counts as unseen: nothing can be learned about it,
    but something about what is rare.

    Args:
        values: `(N,)`, what `as_names` takes.
        limit: Categories that are kept at most.

    Raises:
        ValueError: If no category is there twice.
    """
    counts = Counter(given(as_names(values)))
    common = [text for text in counts if counts[text] > 1]
    if not common:
        raise ValueError("expected a category that is there in two training rows")
    kept = sorted(common, key=lambda text: (-counts[text], text))[:limit]
    return {"values": kept, "others": len(counts) - len(kept)}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, 1)` float32 codes and `(N,)` bool."""
    codes = {text: FIRST + i for i, text in enumerate(state["values"])}
    found = [codes.get(text, UNSEEN) for text in as_names(values).tolist()]
    present = ~missing(as_names(values))
    found = np.where(present, np.array(found, np.float32), np.float32(MISSING))
    return found[:, None], present


def graph(state: dict):
    """`encode` of a string tensor `(N,)`, in TensorFlow."""
    import tensorflow as tf

    codes = lookup(state["values"], range(FIRST, FIRST + len(state["values"])), UNSEEN)

    def run(strings):
        strings = name_of(strings)
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
    return {"codes": FIRST + len(state["values"])}


def words(state: dict) -> str:
    """What there is to say of the column."""
    kept, others = len(state["values"]), state["others"]
    text = f"{kept:,} value" + "s" * (kept != 1)
    return text + (f" and {others:,} too rare to tell apart" if others else "")
