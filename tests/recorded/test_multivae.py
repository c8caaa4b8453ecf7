"""The product of Gaussians and a prior, against that of multivae."""

import numpy as np
import pytest

from keras_fusion.layers import ProductOfExperts
from tests.recorded.recording import assert_recorded, read


@pytest.mark.parametrize("there, name", [([1, 1], "two"), ([1, 0], "first")])
def test_product_of_experts(there, name):
    """Of modalities that are a mean and minus a logarithm of a variance already."""
    data = read("multivae")
    inputs = np.concatenate([data["means"], -data["variances"]], axis=-1)
    inputs = list(inputs.astype("float32"))
    op = ProductOfExperts(units=5, readout="gaussian")
    op.build([x.shape for x in inputs])
    first, second = np.split(np.eye(10), 2, axis=1)
    for dense in op.means:
        dense.kernel.assign(first)
    for dense in op.log_precisions:
        dense.kernel.assign(second)
    mask = np.array([there] * 4, bool)
    assert_recorded(op(inputs, modality_mask=mask), data[name])
