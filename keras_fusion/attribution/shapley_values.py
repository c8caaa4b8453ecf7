"""The Shapley value of each modality."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from keras_fusion.attribution.masked_outputs import modalities_of
from keras_fusion.attribution.worth import worth
from keras_fusion.common.coalitions import EXACT, all_coalitions, shapley_weights
from keras_fusion.common.errors import InputError


class Shapley(NamedTuple):
    """What each of M modalities contributed; `base` plus all `values` is the whole.

    Attributes:
        values: `(B, M, ...)` float64 for outputs `(B, ...)`, `(M, ...)` for scores.
        standard_error: Of the values, in their shape; zeros where they are exact.
        base: `(B, ...)`, or the score: what there is with no modality.
        modalities: Names in the order of M.
    """

    values: np.ndarray
    standard_error: np.ndarray
    base: np.ndarray
    modalities: tuple[str, ...]


def shapley_values(
    model: keras.Model | Callable,
    inputs: dict,
    *,
    labels=None,
    measure: Callable | None = None,
    output: str | None = None,
    permutations: int = 128,
    seed: int = 0,
) -> Shapley:
    """How much of each output, or of a score, comes from each modality.

    The value of a modality is what it adds to those that came before it, averaged over
    all orders in which the modalities may come. The model's own `modality_mask` takes
    a modality away, so nothing has to stand in for it. Up to 8 modalities all of their
    2^M coalitions are asked, in one call for a batch, and the values are exact. Above,
    the average is over random orders, each with its reverse.

    Args:
        model: Takes `modality_mask`; or a function from a dict of arrays with a
            `modality_mask` `(B, M)` to outputs, such as a served model.
        inputs: `(B, ...)` arrays by modality. `modality_mask` `(B, M)` bool says what
            is there at all (left out: everything); what is not contributes 0.
        labels: `(B, ...)`, for the score; None attributes the outputs.
        measure: `measure(labels, outputs)` is the score, a number, or an array of
            several.
        output: Name of the output, where the model gives several.
        permutations: Random orders above 8 modalities, an even number from 4.
        seed: Of the random orders.

    Returns:
        `Shapley`: values `(B, M, ...)` for outputs `(B, ...)`, or `(M,)` for a score.

    Raises:
        ValueError: If the model takes no `modality_mask`, an input is missing or
            unknown, or an argument does not fit.

    Example:

    >>> def model(inputs):
    ...     return inputs["modality_mask"] @ [1.0, 2.0]
    >>> rows = {"a": np.zeros((1, 3)), "b": np.zeros((1, 3))}
    >>> shapley_values(model, rows).values.tolist()
    [[1.0, 2.0]]

    Reference: Shapley, 1953, A Value for n-Person Games. Lundberg and Lee, 2017, A
    Unified Approach to Interpreting Model Predictions.
    """
    _check(permutations)
    names = modalities_of(model, inputs)

    def ask(coalitions):
        return worth(model, inputs, coalitions, labels, measure, output)

    if len(names) <= EXACT:
        v = ask(all_coalitions(len(names)))  # (2^M, ...)
        values = np.tensordot(shapley_weights(len(names)), v, 1)
        errors, base = np.zeros_like(values), v[0]
    else:
        values, errors, base = _sampled(ask, len(names), permutations, seed)
    if measure is None:  # (M, B, ...)
        values, errors = np.moveaxis(values, 0, 1), np.moveaxis(errors, 0, 1)
    return Shapley(values, errors, base, names)


def _sampled(ask, players, permutations, seed):
    """Means over pairs of an order and its reverse, which are independent draws."""
    rng = np.random.default_rng(seed)
    half = [rng.permutation(players) for _ in range(permutations // 2)]
    orders = np.array([order for o in half for order in (o, o[::-1])])
    # place of each player in each order, then who came among the first k
    places = orders.argsort(axis=1)
    paths = places[:, None, :] < np.arange(players + 1)[:, None]  # (P, M + 1, M)
    coalitions, which = np.unique(
        paths.reshape(-1, players), axis=0, return_inverse=True
    )
    which = which.reshape(len(orders), players + 1)
    v = ask(coalitions)
    total, squares = 0.0, 0.0
    for pair in range(len(half)):
        added = 0.5 * sum(
            np.diff(v[which[p]], axis=0)[places[p]] for p in (2 * pair, 2 * pair + 1)
        )
        total, squares = total + added, squares + added**2
    mean = total / len(half)
    variance = np.maximum(squares / len(half) - mean**2, 0)
    return mean, np.sqrt(variance / (len(half) - 1)), v[which[0, 0]]


def _check(permutations):
    if not isinstance(permutations, int) or permutations < 4 or permutations % 2:
        raise InputError(
            "permutations must be an even number from 4, each order and its reverse; "
            f"received {permutations!r}."
        )
