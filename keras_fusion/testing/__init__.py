"""The contract of an operator, for one of your own, as scikit-learn's checks are."""

import numpy as np

from keras_fusion.testing.laws import LAWS

__all__ = ["check_operator"]


def check_operator(operator, inputs, query=None):
    """Checks that a layer keeps the contract of an operator.

    The layer is a template: it is not changed, every law asks a copy of it with random
    weights. The laws are: what is absent has no influence, not even where it is NaN,
    on outputs and gradients; nor has a token that a `mask` leaves out, where the layer
    takes one; where all is absent the output is finite; a sample does not depend on
    others; the weights are all tracked, and each gets a gradient; the promised shape is
    the one that comes; half precision gives its own dtype and nearly the same numbers;
    and the layer is the same after saving.

    Args:
        operator: A layer that is called with a list of tensors and `modality_mask`,
            in the manner of `keras_fusion.layers.Fusion`. Its class is registered with
            `keras.saving.register_keras_serializable`. Without dropout, since the laws
            compare numbers.
        inputs: List of M float arrays `(B, ...)`, B of 2 or more, without NaN.
        query: Float array `(B, ...)`, for a layer that is called with a `query`.

    Raises:
        AssertionError: If a law is broken; one sentence says which.

    Example:

    >>> import numpy as np
    >>> from keras_fusion.layers import SoftmaxGating
    >>> rgb, depth = np.ones((3, 8), "float32"), np.ones((3, 8), "float32")
    >>> check_operator(SoftmaxGating(), [rgb, depth])
    """
    inputs = [np.asarray(x, "float32") for x in inputs]
    asked = {} if query is None else {"query": np.asarray(query, "float32")}
    for law in LAWS:
        law(operator, inputs, asked)
