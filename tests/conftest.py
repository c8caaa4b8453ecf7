"""How close numbers must be, what runs on which backend, a JAX quick to compile."""

import gc
import os

os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # what is run is tiny

# ruff: noqa: E402
import keras
import numpy as np
import pytest
from keras import ops

TOLERANCES = {  # relative and absolute, by the dtype that computed
    "float64": 1e-10,
    "float32": 2e-5,
    "float16": 2e-2,
    "bfloat16": 1e-1,
}


def to_numpy(x):
    """float32 array of a tensor of any floating dtype (numpy has no bfloat16)."""
    return (
        x if isinstance(x, np.ndarray) else ops.convert_to_numpy(ops.cast(x, "float32"))
    )


def assert_close(actual, expected, dtype="float32"):
    """Equal shapes and numbers, up to the rounding of `dtype`."""
    actual, expected = to_numpy(actual), to_numpy(expected)
    assert actual.shape == expected.shape
    tolerance = TOLERANCES[dtype]
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def tried_here(cases, elsewhere=1):
    """All cases on torch, which is the quickest, and the first of them elsewhere.

    How a backend computes shows in a few cases, what a case computes on one backend.
    """
    return cases if keras.backend.backend() == "torch" else cases[:elsewhere]


def pytest_collection_finish():
    """Keras collects garbage often; what is there by now is none."""
    gc.freeze()


def pytest_collection_modifyitems(items):
    """Skips what is marked `only_on(backend, reason=...)` on the other backends.

    But for soak tests, which run on one backend, whichever that is.
    """
    for item in items:
        if item.get_closest_marker("soak"):
            continue
        for mark in item.iter_markers("only_on"):
            if keras.backend.backend() not in mark.args:
                item.add_marker(pytest.mark.skip(mark.kwargs["reason"]))
