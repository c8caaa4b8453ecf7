import numpy as np

from keras_fusion.layers import ProductOfExperts
from tests.conftest import assert_close
from tests.layers.cases import draw
from tests.layers.reference import dense, float64
from tests.layers.token_sets import built

THERE = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 0]], bool)


def vectors():
    return [draw(3, width, seed=m) for m, width in enumerate((5, 3, 4))]


def experts(op, inputs, b):
    """Mean and precision of each modality present of a sample."""
    chosen = np.flatnonzero(THERE[b])
    means = [dense(op.means[m], float64(inputs[m][b])) for m in chosen]
    logits = [dense(op.log_precisions[m], float64(inputs[m][b])) for m in chosen]
    return means, [np.exp(x) for x in logits]


def test_numbers():
    inputs = vectors()
    op = built(ProductOfExperts, inputs, units=4, readout="gaussian")
    fused, weights = op(inputs, modality_mask=THERE, return_weights=True)
    mean_op = built(ProductOfExperts, inputs, units=4)
    assert_close(mean_op(inputs, modality_mask=THERE), float64(fused)[:, :4])
    for b in range(3):
        means, precisions = experts(op, inputs, b)
        total = 1 + sum(precisions)
        mean = sum(p * x for p, x in zip(precisions, means, strict=True)) / total
        variance = np.log(1 / total) * np.ones(4)
        assert_close(fused[b], np.append(mean * np.ones(4), variance))
        shares = np.zeros((4, 3))
        for m, p in zip(np.flatnonzero(THERE[b]), precisions, strict=True):
            shares[:, m] = p / total
        assert_close(weights[b], shares)


def test_it_is_the_product_of_the_densities():
    """Their log densities sum to that of the product, up to a constant."""
    inputs = vectors()
    op = built(ProductOfExperts, inputs, units=4, readout="gaussian")
    mean, log_variance = np.split(float64(op(inputs))[0], 2)
    means, precisions = experts(op, inputs, 0)
    z = np.linspace(-2, 2, 7)[:, None]
    apart = -(z**2) / 2 - sum(
        p * (z - x) ** 2 / 2 for p, x in zip(precisions, means, strict=True)
    )
    joint = -np.exp(-log_variance) * (z - mean) ** 2 / 2
    difference = joint - apart
    assert_close(difference, np.repeat(difference[:1], 7, axis=0), "float32")


def test_nothing_present_is_the_prior():
    inputs = vectors()
    op = built(ProductOfExperts, inputs, units=4, readout="gaussian")
    assert not float64(op(inputs, modality_mask=np.zeros((3, 3), bool))).any()


def test_more_modalities_are_surer():
    inputs = vectors()
    op = built(ProductOfExperts, inputs, units=4, readout="gaussian")
    variances = [
        float64(op(inputs, modality_mask=np.tile(np.arange(3) < n, (3, 1))))[:, 4:]
        for n in range(4)
    ]
    assert all(np.all(b < a) for a, b in zip(variances, variances[1:]))


def test_the_order_has_no_influence():
    inputs = vectors()
    op, other = (built(ProductOfExperts, xs, units=4) for xs in (inputs, inputs[::-1]))
    for mine, theirs in (
        (op.means, other.means),
        (op.log_precisions, other.log_precisions),
    ):
        for own, layer in zip(mine, reversed(theirs), strict=True):
            layer.set_weights(own.get_weights())
    assert_close(op(inputs), other(inputs[::-1]))
