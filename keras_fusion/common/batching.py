"""How many rows go through a model at once."""

import math


def prediction_batch(inputs: dict) -> int:
    """Rows to predict at once: many, but no more numbers than a few images have.

    Args:
        inputs: `(B, ...)` arrays by modality.
    """
    numbers = sum(math.prod(x.shape[1:]) for x in inputs.values())
    return max(1, min(1000, 2**22 // numbers))
