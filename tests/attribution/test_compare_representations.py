import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.attribution import compare_representations, linear_cka
from tests.zoo.samples import SEQUENCES, VECTORS, absent_as, draw, randomize

ROWS = 40


def on_paper(x, y):
    """By the cross-covariance of features, in float64, as the paper has it."""
    x, y = (np.asarray(z, np.float64).reshape(len(z), -1) for z in (x, y))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norms = [np.linalg.norm(a.T @ b, "fro") for a, b in ((x, y), (x, x), (y, y))]
    return norms[0] ** 2 / (norms[1] * norms[2])


def test_linear_cka_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 7)) + 3, rng.normal(size=(50, 4))
    y[:, :2] += x[:, :2]
    assert linear_cka(x, y) == pytest.approx(on_paper(x, y))
    assert 0.05 < linear_cka(x, y) < 0.95
    turned, _ = np.linalg.qr(rng.normal(size=(7, 7)))
    assert linear_cka(x, 5 * x @ turned + 2) == pytest.approx(1)
    assert linear_cka(x, y) == pytest.approx(linear_cka(y, x))
    assert linear_cka(x, np.ones((50, 3))) == 0
    assert linear_cka(x.reshape(50, 7, 1), y) == pytest.approx(on_paper(x, y))
    with pytest.raises(ValueError, match="received 50, 49"):
        linear_cka(x, y[1:])


@pytest.mark.parametrize("depth", [1, 2])
def test_encodings_are_compared_with_each_other_and_with_the_fused(depth):
    model = zoo.FusionClassifier(
        VECTORS, 3, fusion="SoftmaxGating", units=4, depth=depth, modality_mask=True
    )
    randomize(model)
    mask = np.random.default_rng(1).random((ROWS, 3)) < 0.7
    mask[:, 0] = True
    inputs = absent_as(np.nan, draw(VECTORS, ROWS), mask)
    found = compare_representations(model, inputs)
    assert found.modalities == ("a", "b", "c")
    first = model.get_layer("fusion" if depth == 1 else "fusion_0")
    last = model.get_layer("fusion").output[0]
    parts = keras.Model(model.input, [*first.input[:3], last])
    *encoded, fused = parts.predict(inputs, verbose=0)
    for i in range(3):
        there = mask[:, i]
        assert found.fused[i] == pytest.approx(
            on_paper(encoded[i][there], fused[there])
        )
        for j in range(i):
            both = mask[:, i] & mask[:, j]
            expected = on_paper(encoded[i][both], encoded[j][both])
            assert found.before[i, j] == found.before[j, i] == pytest.approx(expected)
    np.testing.assert_array_equal(np.diag(found.before), np.ones(3))


def test_a_modality_that_is_ignored_is_seen():
    fusion = {"class_name": "ScalarWeighting", "config": {"per": "modality"}}
    model = randomize(zoo.FusionClassifier(VECTORS, 3, fusion=fusion, units=4))
    (weights,) = model.get_layer("fusion").weights
    weights.assign([1.0, 1.0, 0.0])
    found = compare_representations(model, draw(VECTORS, 500))
    assert found.fused[2] < 0.05 < 0.2 < min(found.fused[:2])


def test_tokens_are_compared_row_by_row():
    model = zoo.FusionClassifier(SEQUENCES, 3, fusion="JointAttention", units=4)
    found = compare_representations(randomize(model), draw(SEQUENCES, ROWS))
    assert found.before.shape == (2, 2) and np.all(found.fused > 0)


def test_what_does_not_fuse_is_refused():
    model = zoo.EvidentialClassifier(VECTORS, 3)
    with pytest.raises(ValueError, match="by an operator; evidential_classifier"):
        compare_representations(model, draw(VECTORS))
    with pytest.raises(ValueError, match=r"missing \['c'\]"):
        compare_representations(model, {m: draw(VECTORS)[m] for m in "ab"})
