"""What cross-diffusion is tried on, and its results beside those of the oracle."""

import pytest
from keras import ops

from keras_fusion.ops import cross_diffusion
from tests.conftest import assert_close
from tests.layers.cases import draw

fused = pytest.mark.only_on("jax", "torch", reason="TensorFlow has no fused attention")
IMPLEMENTATIONS = ("dense", "blockwise", pytest.param("fused", marks=fused))
each_implementation = pytest.mark.parametrize("implementation", IMPLEMENTATIONS)


def flat(attended, messages):
    """One list of all results, the messages in the order of their pairs."""
    return [*attended, *(y for row in messages for y in row if y is not None)]


def wanted(attended, messages):
    """The same of what the oracle gives."""
    return [*attended, *(messages[pair] for pair in sorted(messages))]


def compare(found, expected, dtype="float32"):
    for y, y_0 in zip(flat(*found), wanted(*expected), strict=True):
        assert_close(y, y_0, dtype)


def options(steps, initial, form, epsilon=0.6):
    return {"steps": steps, "initial": initial, "form": form, "epsilon": epsilon}


def arrays(count, shape=(2, 2, 11, 4), sharp=2.0):
    """Queries, keys and values, each `(M, B, N, T, h)`; peaked affinities."""
    q, k, v = (draw(count, *shape, seed=s) for s in range(3))
    return sharp * q, sharp * k, v


def run(stacked, **arguments):
    q, k, v = ([ops.convert_to_tensor(x) for x in y] for y in stacked)
    return cross_diffusion(q, k, v, **arguments)


def in_float64(stacked):
    return [x.astype("float64") for x in stacked]
