"""The default tuner, on a score that is known: nothing is trained."""

import math
import random

import keras_tuner
import pytest

from keras_fusion.tuning import oracles
from keras_fusion.tuning.space import EPOCHS

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

SEARCH = {
    "training": {"epochs": 27},
    "search": {"tuner": "halving", "trials": 9, "minutes": None, "seed": 0},
}


def make(folder, seed=0, tuner="halving"):
    search = SEARCH | {"search": SEARCH["search"] | {"seed": seed, "tuner": tuner}}
    oracle = oracles.make_oracle(search)
    oracle._set_project_dir(str(folder), "tuner")
    oracle.verbose = 0
    hp = keras_tuner.HyperParameters()
    hp.Choice("fusion", ["a", "b", "c", "d"])
    hp.Float("rate", 1e-3, 1e-1, sampling="log")
    hp.Choice("drop", [0.0, 0.1, 0.2, 0.3])
    with hp.conditional_scope("fusion", ["c"]):
        hp.Choice("c.gate", ["x", "y"])
    oracle.update_space(hp)
    return oracle


def score(values):
    """The best there is: `c` with gate `y`, a rate of 1e-2 and no drop."""
    gate = {"x": 0.1, "y": 0.3}.get(values.get("c.gate"), 0)
    rate = abs(math.log10(values["rate"]) + 2)
    return gate - 0.2 * rate - values["drop"] + 0.01 * values.get(EPOCHS, 27) / 27


def step(oracle, worker="w"):
    """Runs one trial; None where there are no more."""
    trial = oracle.create_trial(worker)
    if trial.status == "STOPPED":
        return None
    value = score(trial.hyperparameters.values)
    oracle.update_trial(trial.trial_id, {oracles.OBJECTIVE: value})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    return trial


def run(oracle, search=SEARCH):
    while step(oracle):
        oracles.end_if_spent(oracle, search, 0)
    return [t.hyperparameters.values for t in oracle.trials.values()]


def best(values):
    return max(score(v) for v in values if v.get(EPOCHS, 27) == 27)


def test_the_best_third_climbs(tmp_path):
    values = run(make(tmp_path))
    lengths = [v[EPOCHS] for v in values]
    low, middle, high = (lengths.count(rung) for rung in (3, 9, 27))
    assert low + middle + high == len(values)
    # What was among the best when it climbed may have been passed since.
    assert low // 3 <= middle <= low // 3 + 4
    assert middle // 3 <= high <= middle // 3 + 4
    assert 9 <= low / 9 + middle / 3 + high < 10  # full trainings, as the budget says


def test_every_choice_is_tried_before_any_twice(tmp_path):
    values = [v for v in run(make(tmp_path)) if v[EPOCHS] == 3]
    assert [v["fusion"] for v in values[:4]] == [*"abcd"]
    points = [tuple(v.items()) for v in values]
    assert len({*points}) == len(points)


def test_it_finds_more_than_random_trials_of_the_same_cost(tmp_path):
    def found(tuner):
        return [best(run(make(tmp_path / f"{tuner}{i}", i, tuner))) for i in range(16)]

    assert sum(found("halving")) > sum(found("random")) + 0.5


def test_it_goes_on_as_if_it_had_not_been_stopped(tmp_path):
    expected = run(make(tmp_path / "whole"))
    rng = random.Random(0)
    for count in rng.sample(range(1, 28), 3):
        folder = tmp_path / str(count)
        oracle = make(folder)
        for _ in range(count):
            step(oracle)
        again = make(folder)
        again.reload()
        oracles.requeue(again)
        assert run(again) == expected
