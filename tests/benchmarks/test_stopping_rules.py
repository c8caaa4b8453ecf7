"""The rules of early stopping that are compared, and the one that is the library's."""

import numpy as np
import pytest

from benchmarks.stopping_rules import BEFORE, NOW, RULES, kept
from tests.experiments.test_stopping import stopped

ACCURACY = [0.5, 1.0, 1.0, 0.9, 0.9, 0.9, 0.9]
LOSS = [3.0, 2.0, 1.0, 0.9, 1.5, 1.5, 1.5]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (BEFORE, (1, 4)),
        ("loss", (3, 6)),
        ("accuracy, then loss", (2, 5)),
        (NOW, (2, 6)),
    ],
)
def test_rules(name, expected):
    assert kept(ACCURACY, LOSS, RULES[name], 2) == expected


def test_the_library_stops_by_the_rule_that_is_named():
    rng = np.random.default_rng(0)
    for _ in range(20):
        accuracy, loss = rng.integers(0, 5, 40) / 4, rng.random(40).cumsum()[::-1] ** 2
        loss = loss * rng.uniform(0.8, 1.2, 40)
        epoch, epochs = kept(accuracy, loss, RULES[NOW], 3)
        found, _, trained = stopped(accuracy, loss, patience=3)
        assert (found.best_epoch, trained) == (epoch, epochs)
