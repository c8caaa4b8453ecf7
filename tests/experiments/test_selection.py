import numpy as np
import pytest

from keras_fusion.experiments.scores import accuracy
from keras_fusion.experiments.selection import gains, greedy

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 60)


def model(noise):
    """Probabilities that are right more or less often."""
    logits = 2.0 * np.eye(3)[LABELS] + noise * RNG.normal(size=(60, 3))
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


MODELS = [model(noise) for noise in (3.0, 2.0, 2.0, 4.0, 2.5)]


def mean(counts):
    return sum(n * x for n, x in zip(counts, MODELS)) / sum(counts)


def test_each_round_takes_what_scores_best_with_those_before():
    counts = [0] * len(MODELS)
    scores = []
    for _ in range(7):
        trials = [
            accuracy(LABELS, mean([n + (i == j) for i, n in enumerate(counts)]))
            for j in range(len(MODELS))
        ]
        counts[int(np.argmax(trials))] += 1
        scores.append((max(trials), list(counts)))
    best = max(scores, key=lambda found: found[0])  # the first of equals
    assert greedy(MODELS, LABELS, accuracy, rounds=7) == best[1]


def test_the_ensemble_is_at_least_as_good_as_its_best_member():
    single = max(accuracy(LABELS, x) for x in MODELS)
    counts = greedy(MODELS, LABELS, accuracy)
    assert accuracy(LABELS, mean(counts)) > single  # of five noisy ones it is better
    assert greedy(MODELS[:1], LABELS, accuracy) == [1]


def test_gains_are_what_is_lost_without_a_member():
    counts = [2, 1, 0, 0, 1]
    found = gains(MODELS, counts, LABELS, accuracy)
    without = accuracy(LABELS, (MODELS[1] + MODELS[4]) / 2)
    assert found[0] == accuracy(LABELS, mean(counts)) - without
    assert found[2] is found[3] is None
    assert gains(MODELS, [0, 3, 0, 0, 0], LABELS, accuracy) == [None] * 5


def test_nothing_to_choose_from():
    with pytest.raises(ValueError, match="at least one model and one round; .* 0 and"):
        greedy([], LABELS, accuracy)
