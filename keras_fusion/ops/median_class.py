"""Which class is named where classes have an order."""

from keras import ops

from keras_fusion.ops.presence import precise

_ROUNDING = 1e-6


def median_class(probabilities):
    """The number of the class in the middle of a distribution over classes in an order.

    It is the first class with `sum_{l <= k} p_l >= 1/2`, which is off by the fewest
    classes on average: the median has the least expected distance, where the most
    probable class has the least expected share of errors. A sum that misses one half by
    rounding reaches it, so that every backend names the same class.

    Args:
        probabilities: `(B, ..., K)`, tensor or array, the classes in their order.

    Returns:
        `(B, ...)` int32. Where the probabilities are all zero, or not all finite, it is
        some class.

    Example:

    >>> p = keras.ops.array([[0.4, 0.25, 0.35], [0.6, 0.1, 0.3]])
    >>> keras.ops.convert_to_numpy(median_class(p)).tolist()
    [1, 0]
    """
    p = precise(ops.convert_to_tensor(probabilities))
    half = (0.5 - _ROUNDING) * ops.sum(p, axis=-1, keepdims=True)
    before = ops.cumsum(p, axis=-1) < half  # (B, ..., K)
    return ops.sum(ops.cast(before, "int32"), axis=-1)
