"""What a model of times tells a person."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_fusion.common.names import RISK, SURVIVAL


def of_times(output, hazards: Sequence[float] | None) -> dict:
    """`risk` `(B, 1)` and `survival` `(B, T)` from a model's output.

    Args:
        output: `(B, 1)`, the logarithm of a risk; or `(B, T + 1)`, probabilities of
            intervals of time, whose risk is minus the number of the mean interval.
        hazards: `(T,)` of a row of risk 0, which a model of risks has not in itself;
            None leaves `survival` out there.
    """
    if output.shape[-1] > 1:
        later = ops.flip(ops.cumsum(ops.flip(output, axis=-1), axis=-1), axis=-1)
        survival = later[:, 1:]  # (B, T)
        return {RISK: -ops.sum(survival, axis=-1, keepdims=True), SURVIVAL: survival}
    if hazards is None:
        return {RISK: output}
    hazards = np.array([hazards], "float32")  # (1, T)
    whole = ops.multiply(ops.exp(output), hazards)  # (B, T)
    return {RISK: output, SURVIVAL: ops.exp(-whole)}
