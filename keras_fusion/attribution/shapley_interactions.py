"""Which modalities need each other, and which say the same."""

from collections.abc import Callable

import keras
import numpy as np

from keras_fusion.attribution.masked_outputs import modalities_of
from keras_fusion.attribution.worth import worth
from keras_fusion.common.coalitions import (
    EXACT,
    all_coalitions,
    interaction_weights,
)
from keras_fusion.common.errors import InputError


def shapley_interactions(
    model: keras.Model | Callable,
    inputs: dict,
    *,
    labels=None,
    measure: Callable | None = None,
    output: str | None = None,
) -> np.ndarray:
    """The Shapley interaction index of every pair of modalities.

    It is what two modalities add together beyond what each adds alone, averaged over
    what else is there: positive where they need each other, negative where one says
    what the other said, zero where they add up.

    Args:
        model, inputs, labels, measure, output: As for `shapley_values`.

    Returns:
        `(B, M, M, ...)` float64 for outputs `(B, ...)`, or `(M, M)` for a score:
        symmetric, with the Shapley values on the diagonal.

    Raises:
        ValueError: As `shapley_values` does, or if there are more than 8 modalities.

    Reference: Grabisch and Roubens, 1999, An Axiomatic Approach to the Concept of
    Interaction among Players in Cooperative Games.
    """
    names = modalities_of(model, inputs)
    if len(names) > EXACT:
        raise InputError(
            f"Interactions ask all coalitions, of at most {EXACT} modalities; received "
            f"{len(names)}."
        )
    coalitions = all_coalitions(len(names))
    v = worth(model, inputs, coalitions, labels, measure, output)
    found = np.tensordot(interaction_weights(len(names)), v, 1)  # (M, M, ...)
    return np.moveaxis(found, 2, 0) if measure is None else found
