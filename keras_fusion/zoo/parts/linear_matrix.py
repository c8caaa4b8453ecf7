"""What a linear path is fitted to: one matrix of all numbers and words."""

import keras
import numpy as np
from scipy import sparse

from keras_fusion.layers.bag_of_words import BagOfWords


def matrix(model: keras.Model, path, found: list):
    """The features `(N, F)` of a linear path, in the order of its kernel.

    What the words of a text count is set first, from these texts: a word is rarer the
    fewer texts it is in.

    Args:
        model: That has the path.
        path: A `LinearPrediction`.
        found: What the path was given of the rows, as arrays.

    Returns:
        An array, or where there are texts a sparse one.
    """
    if not path.vocabularies:
        return found[0].astype(np.float64)
    parts = [sparse.csr_array(found[0])] if path.width else []
    texts = found[len(parts) :]
    bags = sorted(
        (x for x in model.layers if isinstance(x, BagOfWords)), key=lambda x: x.index
    )
    for bag, codes, counts in zip(bags, texts[::2], texts[1::2], strict=True):
        codes = np.where(counts > 0, codes, 0).astype(np.int32)  # of what is there
        parts.append(_words(bag, codes))
    return sparse.hstack(parts, format="csr", dtype=np.float64)


def _words(bag, codes):
    """What each word counts, `(N, V)`."""
    row, place = np.nonzero(codes)
    there = np.ones(len(row)), (row, codes[row, place])
    once = sparse.csr_array(there, shape=(len(codes), bag.count)) > 0
    texts = (codes > 0).any(axis=1).sum()
    bag.rarity.assign(1 + np.log((1 + texts) / (1 + once.sum(axis=0))))
    counts = keras.ops.convert_to_numpy(bag(codes))[row, place]
    return sparse.csr_array((counts, there[1]), shape=(len(codes), bag.count))
