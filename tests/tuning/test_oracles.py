"""keras-tuner's own tuners as a search sets them up, on a score that is known."""

import math
import random

import keras_tuner
import pytest

from keras_fusion.tuning import oracles
from keras_fusion.tuning.space import EPOCHS

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

SEARCH = {
    "training": {"epochs": 27},
    "search": {"tuner": "hyperband", "trials": 9, "minutes": None, "seed": 0},
}


def make(folder, tuner="hyperband", seed=0, trials=9):
    budget = {"seed": seed, "tuner": tuner, "trials": trials}
    search = SEARCH | {"search": SEARCH["search"] | budget}
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
    """Runs one trial, of which nothing is trained; None where there are no more."""
    trial = oracle.create_trial(worker)
    if trial.status == "STOPPED":
        return None
    value = score(trial.hyperparameters.values)
    oracle.update_trial(trial.trial_id, {oracles.OBJECTIVE: value})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    return trial


def run(oracle):
    while step(oracle):
        pass
    return [t.hyperparameters.values for t in oracle.trials.values()]


@pytest.mark.parametrize("tuner", ["random", "hyperband", "bayesian"])
def test_it_goes_on_as_if_it_had_not_been_stopped(tmp_path, tuner):
    expected = run(make(tmp_path / "whole", tuner))
    for count in random.Random(0).sample(range(1, len(expected)), 3):
        folder = tmp_path / str(count)
        oracle = make(folder, tuner)
        for _ in range(count):
            step(oracle)
        again = make(folder, tuner)
        again.reload()
        oracles.requeue(again)
        assert run(again) == expected


@pytest.mark.parametrize("trials", [1, 2, 9])
def test_trials_of_hyperband_never_cost_more_than_the_budget(tmp_path, trials):
    """Each costs the part of a training that it is; more than one would be too much."""
    oracle = make(tmp_path, trials=trials)
    lengths = [values[EPOCHS] for values in run(oracle)]
    assert {*lengths} - {27} and (trials - 1) * 27 < sum(lengths) <= trials * 27
    again = make(tmp_path, trials=trials + 3)  # what was taken back is drawn again
    again.reload()
    oracles.requeue(again)
    more = [values[EPOCHS] for values in run(again)]
    assert more == [v[EPOCHS] for v in run(make(tmp_path / "whole", trials=trials + 3))]


@pytest.mark.parametrize("seconds, over", [(0, False), (179.9, False), (180, True)])
def test_minutes_are_minutes(seconds, over):
    search = SEARCH | {"search": SEARCH["search"] | {"minutes": 3}}
    assert oracles.out_of_time(search, seconds) is over
    assert not oracles.out_of_time(SEARCH, seconds)


def test_an_oracle_that_is_over_makes_no_more_trials(tmp_path):
    oracle = make(tmp_path)
    assert step(oracle)
    oracle.is_over = True
    assert step(oracle) is None


def test_the_third_is_that_of_the_budget_and_not_of_an_old_folder(tmp_path):
    old = make(tmp_path, "bayesian")
    old.num_initial_points = None  # as it was once written
    old.save()
    new = make(tmp_path, "bayesian")
    new.reload()
    assert new.num_initial_points == 3


@pytest.mark.slow
def test_bayesian_search_draws_a_third_of_its_trials_and_learns_from_them(tmp_path):
    learned = drawn = 0.0
    for seed in range(2):
        drawn_at_random, bayesian = (
            run(make(tmp_path / f"{tuner}{seed}", tuner, seed))
            for tuner in ("random", "bayesian")
        )
        assert bayesian[:3] == drawn_at_random[:3]
        drawn += sum(map(score, drawn_at_random[3:]))
        learned += sum(map(score, bayesian[3:]))
    assert learned > drawn + 0.5


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_no_two_seeds_draw_the_same_numbers(tmp_path, tuner):
    first, second = (
        {values["rate"] for values in run(make(tmp_path / f"{seed}", tuner, seed))}
        for seed in range(2)
    )
    assert len(first) > 5 and not first & second


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_the_budget_ends_a_search_and_nothing_before_it(tmp_path, tuner):
    assert len(run(make(tmp_path, tuner, trials=12))) == 12
