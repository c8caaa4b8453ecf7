import numpy as np
import pytest

from keras_fusion.calibration import (
    adaptive_sets,
    adaptive_threshold,
    conformal_threshold,
    prediction_sets,
)
from tests.calibration.test_conformal import drawn

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_new_rows_are_covered_as_often_as_was_asked(coverage):
    rng, held = np.random.default_rng(0), []
    for _ in range(1000):
        threshold = adaptive_threshold(*drawn(20, rng), coverage)
        labels, probabilities = drawn(20, rng)
        sets = adaptive_sets(probabilities, threshold)
        assert sets.any(axis=1).all()
        held.append(sets[np.arange(20), labels].mean())
    error = np.std(held) / np.sqrt(len(held))
    rank = np.ceil(21 * coverage) / 21  # and more, since no set is empty
    assert np.mean(held) > rank - 4 * error
    assert np.mean(held) < rank + (0.1 if coverage > 0.8 else 0.4)


def test_on_paper():
    """Scores of the true classes: 0.6, 1.0, 0.9, 0.8 (two equal ones count both)."""
    probabilities = np.array(
        [[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.4, 0.4, 0.2]]
    )
    labels = np.array([0, 2, 0, 0])
    assert adaptive_threshold(labels, probabilities, 0.6) == pytest.approx(0.9)
    assert adaptive_threshold(labels, probabilities, 0.2) == pytest.approx(0.6)
    assert adaptive_threshold(labels, probabilities, 0.9) == np.inf  # too few rows
    sets = adaptive_sets([[0.5, 0.3, 0.2], [0.4, 0.2, 0.4], [0.95, 0.04, 0.01]], 0.85)
    assert sets.tolist() == [
        [True, True, False],
        [True, False, True],
        [True, False, False],
    ]
    assert adaptive_sets(probabilities, np.inf).all()


def test_hard_rows_are_covered_better_than_by_one_threshold():
    """Half of the rows are easy, and the model knows which."""
    rng = np.random.default_rng(0)
    sure = np.repeat([4.0, 0.5], 2000)[:, None]
    logits = sure * rng.normal(size=(4000, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (logits + rng.gumbel(size=(4000, 5))).argmax(axis=1)
    hard = np.arange(4000) >= 2000

    def of_hard(sets):
        return sets[np.arange(4000), labels][hard].mean()

    fixed = prediction_sets(probabilities, conformal_threshold(labels, probabilities))
    threshold = adaptive_threshold(labels, probabilities)
    adaptive = adaptive_sets(probabilities, threshold)
    assert abs(of_hard(adaptive) - 0.9) < abs(of_hard(fixed) - 0.9)


def test_what_does_not_fit_is_refused():
    labels, probabilities = drawn(5, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"received shapes \(4,\) and \(5, 4\)"):
        adaptive_threshold(labels[:4], probabilities)
    with pytest.raises(ValueError, match="between 0 and 1; received 90"):
        adaptive_threshold(labels, probabilities, 90)
