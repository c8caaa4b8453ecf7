"""keras-tuner's own tuners as a search sets them up: nothing is trained."""

import pytest

from tests.tuning.test_halving import SEARCH, make, run, score

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_the_third_is_that_of_the_budget_and_not_of_an_old_folder(tmp_path):
    old = make(tmp_path, tuner="bayesian")
    old.num_initial_points = None  # as it was once written
    old.save()
    new = make(tmp_path, tuner="bayesian")
    new.reload()
    assert new.num_initial_points == 3


@pytest.mark.slow
def test_bayesian_search_draws_a_third_of_its_trials_and_learns_from_them(tmp_path):
    learned = drawn = 0.0
    for seed in range(2):
        random, bayesian = (
            run(make(tmp_path / f"{tuner}{seed}", seed, tuner))
            for tuner in ("random", "bayesian")
        )
        assert bayesian[:3] == random[:3]
        drawn += sum(map(score, random[3:]))
        learned += sum(map(score, bayesian[3:]))
    assert learned > drawn + 0.5


@pytest.mark.parametrize("tuner", ["random", "hyperband", "halving"])
def test_no_two_seeds_draw_the_same_numbers(tmp_path, tuner):
    first, second = (
        {values["rate"] for values in run(make(tmp_path / f"{seed}", seed, tuner))}
        for seed in range(2)
    )
    assert len(first) > 5 and not first & second


@pytest.mark.parametrize("tuner", ["random", "bayesian"])
def test_the_budget_ends_a_search_and_nothing_before_it(tmp_path, tuner):
    budget = SEARCH | {"search": SEARCH["search"] | {"trials": 12}}
    assert len(run(make(tmp_path, tuner=tuner), budget)) == 12
