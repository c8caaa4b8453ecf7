"""What a linear model is for each kind of prediction, and how it joins a network."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from scipy import optimize

from keras_fusion.zoo.parts.logistic import likely_classes, likely_labels, logistic
from keras_fusion.zoo.parts.ridge import ridge

_LEAST = 1e-7  # of a probability
# Of each weight to a half, as if it were drawn from a normal distribution around it
# with a deviation of 1: few rows that are all right would make the blend far too sure.
_PULL = 1.0


class Kind(NamedTuple):
    """How one kind of prediction is modeled linearly.

    Attributes:
        fit: From features `(N, D)` and targets `(N, K)` to `(kernel, intercept)`.
        weigh: From what a network and a linear model predict, `(N, K)` each, and what
            was wanted, to the weights `(a, b)` of `layers.Blend`.
        apart: Whether rows that lack a modality have weights of their own. A linear
            model of numbers is a sum, which lacks one part.
        one_hot: Whether labels may be numbers of classes.
    """

    fit: Callable
    weigh: Callable
    apart: bool
    one_hot: bool

    def weights(self, network, linear, wanted, mask) -> list:
        """The weights of rows that have all modalities, and of rows that lack some.

        Args:
            network, linear, wanted: As `weigh` takes them.
            mask: `(N, M)` bool, True = present.
        """
        whole = mask.all(axis=1)
        gaps = mask.any(axis=1) & ~whole
        if not self.apart or not whole.any() or not gaps.any():
            return [self.weigh(network, linear, wanted)] * 2
        each = whole, gaps
        return [self.weigh(network[x], linear[x], wanted[x]) for x in each]


def kind_of(activation: Callable) -> Kind:
    """The kind of a head with this activation."""
    if activation is keras.activations.softmax:
        return Kind(logistic, partial(_likeliest, _logs, likely_classes), True, True)
    if activation is keras.activations.sigmoid:
        fit = partial(logistic, several=True)
        return Kind(fit, partial(_likeliest, _logits, likely_labels), True, False)
    return Kind(ridge, _nearest, False, False)


def _nearest(network, linear, wanted):
    """Shares that sum to 1, of the least squares."""
    ahead = network - linear
    square = max(np.square(ahead).sum(), np.finfo(float).tiny)
    share = float(np.clip((ahead * (wanted - linear)).sum() / square, 0, 1))
    return share, 1 - share


def _likeliest(unlinked, log_likelihood, network, linear, wanted):
    """The weights, none of them negative, under which the labels are most likely."""
    network, linear = unlinked(network), unlinked(linear)

    def objective(pair):
        likely, slope = log_likelihood(pair[0] * network + pair[1] * linear, wanted)
        slopes = np.array([(slope * network).sum(), (slope * linear).sum()])
        pull = _PULL * (pair - 0.5)
        return pull @ (pair - 0.5) / 2 - likely, pull - slopes

    bounds = [(0, None)] * 2
    return optimize.minimize(objective, (0.5, 0.5), jac=True, bounds=bounds).x


def _logs(probabilities):
    return np.log(np.maximum(probabilities, _LEAST))


def _logits(probabilities):
    return _logs(probabilities) - _logs(1 - probabilities)
