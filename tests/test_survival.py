import keras
import numpy as np
import pytest

from keras_fusion import survival
from keras_fusion.survival import CensoredCrossentropy, CoxLoss, concordance
from tests.conftest import assert_close, to_numpy

RNG = np.random.default_rng(0)
TIMES = np.array([3.0, 1.0, 4.0, 1.0, 4.0, 9.0, 2.0])  # ties of all kinds
EVENTS = np.array([1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
LABELS = np.stack([TIMES, EVENTS], axis=1).astype("float32")
SCORES = RNG.normal(0, 2, (7, 1)).astype("float32")
WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0], "float32")


def partial_likelihood(weights):
    """Row by row, in float64."""
    scores, total = SCORES[:, 0].astype("float64"), 0.0
    for i in np.flatnonzero(EVENTS * weights):
        at_risk = np.flatnonzero(TIMES >= TIMES[i])
        mass = sum(weights[j] * np.exp(scores[j]) for j in at_risk)
        total += weights[i] * (np.log(mass) - scores[i])
    return total / np.sum(weights * EVENTS)


def test_cox_against_the_definition():
    expected = partial_likelihood(np.ones(7))
    assert float(CoxLoss()(LABELS, SCORES)) == pytest.approx(expected, rel=1e-5)
    weighted = float(CoxLoss()(LABELS, SCORES, WEIGHTS))
    assert weighted == pytest.approx(partial_likelihood(WEIGHTS), rel=1e-5)


def test_cox_knows_differences_alone_and_any_size():
    loss = CoxLoss()
    assert float(loss(LABELS, SCORES + 50)) == pytest.approx(
        float(loss(LABELS, SCORES)), rel=1e-4
    )
    assert np.isfinite(float(loss(LABELS, SCORES * 1e4)))
    censored = np.stack([TIMES, 0 * EVENTS], axis=1).astype("float32")
    assert float(loss(censored, SCORES)) == 0


def test_cox_without_a_row_is_without_its_weight():
    there = WEIGHTS > 0
    kept = float(CoxLoss()(LABELS[there], SCORES[there]))
    dropped = float(CoxLoss()(LABELS, SCORES, there.astype("float32")))
    assert kept == pytest.approx(dropped, rel=1e-5)


def test_censored_crossentropy_against_the_definition():
    probabilities = RNG.dirichlet(np.ones(4), 5).astype("float32")
    labels = np.array([[0, 1], [2, 1], [1, 0], [3, 0], [0, 0]], "float32")
    p = probabilities.astype("float64")
    chosen = [p[0, 0], p[1, 2], p[2, 1:].sum(), p[3, 3], 1.0]
    found = CensoredCrossentropy(reduction=None)(labels, probabilities)
    np.testing.assert_allclose(to_numpy(found), -np.log(chosen), atol=1e-5)


def test_saved_and_loaded():
    for loss in (CoxLoss(name="own"), CensoredCrossentropy(reduction="sum")):
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        assert again.get_config() == loss.get_config()


def test_intervals():
    cuts = survival.cut_points(TIMES, EVENTS, 3)
    times = np.sort(TIMES[EVENTS > 0])
    assert_close(cuts, np.quantile(times, [1 / 3, 2 / 3]))
    labels = survival.in_intervals([0.5, 2.0, 7.0], [1, 0, 1], [2.0, 5.0])
    assert labels.tolist() == [[0, 1], [1, 0], [2, 1]]
    assert len(survival.cut_points([1, 1, 1], [1, 1, 1], 4)) == 1


def by_pairs(risks):
    right = known = 0.0
    for i, j in np.ndindex(7, 7):
        tied = TIMES[i] == TIMES[j] and not EVENTS[j]
        if EVENTS[i] and (TIMES[i] < TIMES[j] or tied):
            known += 1
            right += (risks[i] > risks[j]) + (risks[i] == risks[j]) / 2
    return right / known


def test_concordance_against_all_pairs(monkeypatch):
    monkeypatch.setattr(survival, "BLOCK", 2)
    for risks in (SCORES[:, 0], np.round(SCORES[:, 0] / 4)):
        assert concordance(TIMES, EVENTS, risks) == pytest.approx(by_pairs(risks))
    every = np.ones(7)
    assert concordance(TIMES, every, -TIMES) == 1
    assert concordance(TIMES, every, np.zeros(7)) == 0.5
    intervals = np.eye(3)[[0, 1, 2]]  # sooner, later, last
    assert concordance([1, 2, 3], [1, 1, 0], intervals) == 1
    assert np.isnan(concordance([1, 2], [0, 0], [1, 2]))


def test_baseline_hazard_against_the_definition():
    risks, at = SCORES[:, 0].astype("float64"), [0.5, 1.0, 3.5, 20.0]

    def hazard(time):
        return sum(
            1 / np.sum(np.exp(risks[TIMES >= TIMES[i]]))
            for i in np.flatnonzero(EVENTS * (TIMES <= time))
        )

    found = survival.baseline_hazard(TIMES, EVENTS, risks, at)
    np.testing.assert_allclose(found, [hazard(t) for t in at], rtol=1e-12)
    with pytest.raises(ValueError, match="a finite risk for each of 7 rows"):
        survival.baseline_hazard(TIMES, EVENTS, risks * np.nan, at)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"labels \(B, 2\), time and event"):
        CoxLoss()(TIMES, SCORES)
    with pytest.raises(ValueError, match=r"scores \(B, 1\)"):
        CoxLoss()(LABELS, np.ones((7, 2), "float32"))
    with pytest.raises(ValueError, match="finite time and an event, 0 or 1"):
        concordance(TIMES, EVENTS * 2, SCORES)
    with pytest.raises(ValueError, match="finite risk for each of 7 rows"):
        concordance(TIMES, EVENTS, [1, 2])
    with pytest.raises(ValueError, match="2 intervals or more, and an event"):
        survival.cut_points(TIMES, 0 * EVENTS, 3)
