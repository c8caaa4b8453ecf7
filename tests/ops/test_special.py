import numpy as np
import pytest
from keras import ops
from scipy import special

from keras_fusion.ops.special import digamma, log_gamma
from tests.conftest import assert_close

X = np.concatenate([np.linspace(0.1, 30, 300), [100.0, 1e3, 1e4]])
PAIRS = [(digamma, special.digamma), (log_gamma, special.gammaln)]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_they_are_those_of_scipy(ours, theirs):
    found = ours(ops.convert_to_tensor(X.astype("float32")))
    assert_close(found, theirs(X).astype("float32"))


@pytest.mark.only_on("torch", reason="JAX has no float64 here")
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_in_float64_the_series_is_exact_to_float32(ours, theirs):
    found = ops.convert_to_numpy(ours(ops.convert_to_tensor(X)))
    np.testing.assert_allclose(found, theirs(X), rtol=1e-8, atol=1e-8)
