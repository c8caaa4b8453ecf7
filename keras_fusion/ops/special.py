"""Functions of the gamma function, which Keras does not have."""

import math

from keras import ops

from keras_fusion.ops.presence import precise

_SHIFT = 6  # from where on the asymptotic series are exact to float32


def log_gamma(x):
    """The logarithm of the gamma function of x > 0, elementwise, in float32 or float64.

    By Stirling's series at x + 6 and the recurrence `gamma(x + 1) = x gamma(x)`.
    """
    x = precise(x)
    far = x + _SHIFT
    inverse = 1 / far
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260)))
    whole = (far - 0.5) * ops.log(far) - far + 0.5 * math.log(2 * math.pi) + series
    return whole - sum(ops.log(x + k) for k in range(_SHIFT))


def digamma(x):
    """The derivative of `log_gamma`, elementwise, in float32 or float64."""
    x = precise(x)
    far = x + _SHIFT
    inverse = 1 / far
    square = inverse * inverse
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252)))
    whole = ops.log(far) - 0.5 * inverse - series
    return whole - sum(1 / (x + k) for k in range(_SHIFT))
