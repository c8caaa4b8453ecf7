"""How uncertain probabilities are."""

import math

from keras import ops

from keras_fusion.common.catalogue import find
from keras_fusion.ops.presence import precise


def uncertainty(probabilities, measure: str = "entropy"):
    """From 0, where one class is certain, to 1, where all are as probable.

    Args:
        probabilities: `(B, ..., K)`, K from 2.
        measure: `"entropy"`, `-sum_k p_k log p_k / log K`; or `"confidence"`,
            `(1 - max_k p_k) K / (K - 1)`.

    Returns:
        `(B, ...)`, float32 or float64.

    Raises:
        ValueError: If there is no such measure.

    Example:

    >>> p = keras.ops.array([[0.5, 0.5], [0.0, 1.0]])
    >>> keras.ops.convert_to_numpy(uncertainty(p)).round(3).tolist()
    [1.0, 0.0]
    """
    measured = find("measure of uncertainty", measure, MEASURES)
    return measured(precise(ops.convert_to_tensor(probabilities)))


def _entropy(p):
    logs = ops.log(ops.where(p > 0, p, 1.0))
    return ops.abs(ops.sum(p * logs, axis=-1)) / math.log(p.shape[-1])


def _confidence(p):
    return (1 - ops.max(p, axis=-1)) * (p.shape[-1] / (p.shape[-1] - 1))


MEASURES = {"entropy": _entropy, "confidence": _confidence}
