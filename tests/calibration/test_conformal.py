import numpy as np
import pytest

from keras_fusion.calibration import conformal_threshold, prediction_sets

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def drawn(rows, rng):
    """Labels, and the probabilities of a model that is wrong about them."""
    logits = rng.normal(size=(rows, 4))
    labels = (logits + rng.gumbel(size=(rows, 4)) * 2).argmax(axis=1)
    exp = np.exp(3 * logits)
    return labels, exp / exp.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_new_rows_are_covered_as_often_as_was_asked(coverage):
    """Over many draws of 20 rows: from `coverage` to `coverage + 1 / 21`."""
    rng, held = np.random.default_rng(0), []
    for _ in range(2000):
        threshold = conformal_threshold(*drawn(20, rng), coverage)
        labels, probabilities = drawn(20, rng)
        sets = prediction_sets(probabilities, threshold)
        held.append(sets[np.arange(20), labels].mean())
    error = np.std(held) / np.sqrt(len(held))
    rank = np.ceil(21 * coverage) / 21  # what it is exactly
    assert coverage <= rank <= coverage + 1 / 21
    assert np.mean(held) == pytest.approx(rank, abs=4 * error)
    assert error < 0.004


def test_on_paper():
    """Of 4 rows and a coverage of 0.6 the third largest: ceil(5 * 0.6) = 3."""
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.5, 0.5]])
    labels = np.array([0, 1, 1, 0])  # 0.9, 0.8, 0.3, 0.5
    threshold = conformal_threshold(labels, probabilities, 0.6)
    assert threshold == 0.5
    sets = prediction_sets([[0.5, 0.5], [0.6, 0.4], [0.49, 0.51]], threshold)
    assert sets.tolist() == [[True, True], [True, False], [False, True]]
    assert conformal_threshold(labels, probabilities, 0.9) == 0  # too few rows


def test_what_does_not_fit_is_refused():
    labels, probabilities = drawn(5, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"received shapes \(4,\) and \(5, 4\)"):
        conformal_threshold(labels[:4], probabilities)
    for coverage in 0, 1, 90:
        with pytest.raises(ValueError, match=f"between 0 and 1; received {coverage}"):
            conformal_threshold(labels, probabilities, coverage)
