"""How the operations of an operator grow with M modalities and T positions.

They are counted in the graph that JAX makes of a call. For sizes at equal steps the
counts are a polynomial's, whose differences of some order are zero: that order says the
power exactly, however large the constants are.
"""

import jax
import numpy as np

WIDTH = 4
MODALITIES = range(5, 10)  # up to 4 some operators are written out pair by pair
POSITIONS = range(16, 81, 16)


def cost(operator) -> str:
    """The powers of M and T in the operations of an operator as it is by default."""
    most = operator(units=WIDTH).max_modalities
    positions = power([operations(operator, 2, t) for t in POSITIONS])
    if most is not None and most < max(MODALITIES):
        return f"{written('T', positions)}, for {most} modalities"
    modalities = power([operations(operator, m, 3) for m in MODALITIES])
    return f"{written('M', modalities)} {written('T', positions)}"


def operations(operator, modalities: int, positions: int) -> float:
    """Of one call for one sample."""
    layer = operator(units=WIDTH)
    inputs = [np.ones((1, positions, WIDTH), np.float32)] * modalities
    layer.build([x.shape for x in inputs])
    query = {"query": inputs[0]} if layer.uses_query else {}
    return counted(layer, inputs, **query)


def counted(layer, inputs, **arguments) -> float:
    """The operations of one call of a layer or model that is built."""
    trainable = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def call(trainable, inputs):
        return layer.stateless_call(trainable, others, inputs, **arguments)[0]

    return jax.jit(call).lower(trainable, inputs).cost_analysis()["flops"]


def power(counts: list[float]) -> int | None:
    """The degree of the polynomial that has these values; None of what is none."""
    for degree in range(len(counts) - 1):
        if np.abs(np.diff(counts, degree + 1)).max() <= 1e-6 * max(counts):
            return degree
    return None


def written(letter: str, degree: int | None) -> str:
    """`M<sup>2</sup>`, or `2^M` for what grows faster than any power."""
    if degree is None:
        return f"more than any power of {letter}"
    return {0: "1", 1: letter}.get(degree, f"{letter}<sup>{degree}</sup>")
