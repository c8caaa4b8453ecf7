"""Laws about mixed precision: what is returned, how close it is, what overflows."""

import keras
import numpy as np
import pytest
from keras import tree

from tests.conftest import assert_close, to_numpy, tried_here
from tests.layers.cases import Case, each_case, query_for, some_absent

POLICIES = pytest.mark.parametrize("dtype", tried_here(["float16", "bfloat16"]))


def answers(case, scale=1.0, policy="float32"):
    """Fused outputs and weights (if any) of the operator with random weights."""
    inputs = [scale * x for x in case.inputs()]
    op = case.operator(inputs, dtype=policy)
    query = {name: scale * q for name, q in query_for(op, inputs).items()}
    call = {"modality_mask": some_absent(len(inputs))} | query
    if op.has_weights:
        fused, weights = op(inputs, return_weights=True, **call)
        return tree.flatten(fused), [weights]
    return tree.flatten(op(inputs, **call)), []


@POLICIES
@each_case
def test_mixed_precision_is_close_to_float32(case, dtype):
    fused, weights = answers(case, policy=f"mixed_{dtype}")
    assert all(keras.backend.standardize_dtype(y.dtype) == dtype for y in fused)
    for low, full in zip([fused, weights], answers(case), strict=True):
        for a, b in zip(low, full, strict=True):
            assert_close(a, b, dtype)


@each_case
def test_float16_is_finite_where_the_true_value_fits(case):
    low = sum(answers(case, 300.0, "mixed_float16"), [])
    full = sum(answers(case, 300.0), [])
    for a, b in zip(low, full, strict=True):
        if np.abs(to_numpy(b)).max() < 3e4:
            assert np.isfinite(to_numpy(a)).all()


@each_case
def test_weights_are_stored_in_float32(case):
    op = case.operator(case.inputs(), dtype="mixed_bfloat16")
    assert all(w.dtype == "float32" for w in op.weights)


@pytest.mark.only_on("torch", reason="elsewhere Keras has other rules for float64")
def test_float64_stays_so_to_the_weights():
    # Of one operator: where others need Keras' `maximum` or `matmul` of two float64,
    # Keras gives float32.
    case = Case("CrossDiffusionAttention", {"num_heads": 2, "initial": "affinity"})
    _, weights = answers(case, policy="float64")
    assert keras.backend.standardize_dtype(weights[0].dtype) == "float64"
