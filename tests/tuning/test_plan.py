"""What a search tries, in which order, by a score that is known: nothing is trained."""

import math
import random

import pytest

from keras_fusion.experiments.recipes import Training
from keras_fusion.tuning import FusionHyperModel, first, oracles
from keras_fusion.tuning.log import LOG, Log
from keras_fusion.tuning.plan import WAIT, Plan
from keras_fusion.tuning.search_file import Budget, Search
from keras_fusion.tuning.space import EPOCHS

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

NAMES = ["ScalarWeighting", "Concatenation", "ModalityAttention", "AdaptiveWeighting"]
LONG = 27  # epochs
TUNERS = ["random", "hyperband"]


@pytest.fixture(scope="module")
def fusion():
    space = {"fusion": NAMES, "units": [4, 8]}
    return FusionHyperModel("FusionClassifier", {"a": (5,), "b": (3,)}, 3, space)


def search_of(tuner="hyperband", seed=0, trials=14, minutes=None):
    budget = Budget(tuner=tuner, trials=trials, seed=seed, minutes=minutes)
    return Search(name="s", dataset="d", search=budget, training=Training(epochs=LONG))


def score(values):
    """The best there is: adaptive weighting, a rate of 1e-2 and no dropout."""
    kind = 0.3 * (values["fusion"] == "AdaptiveWeighting")
    rate = abs(math.log10(values["learning_rate"]) + 2)
    part = values.get(EPOCHS, LONG) / LONG
    return kind - 0.2 * rate - values["dropout"] + 0.01 * part


def step(plan, seconds=math.inf, takes=1.0):
    """Asks for one trial and tells its score; None where there are no more."""
    asked = plan.ask(seconds)
    if asked is None:
        return None
    assert asked != WAIT  # for nobody
    name, values = asked
    cost = takes * values.get(EPOCHS, LONG) / LONG
    plan.tell(name, score(values), cost, 0.0)
    return values


def run(plan):
    while step(plan):
        pass
    return [*plan.values.values()]


def make(fusion, folder, **changes):
    folder.mkdir(exist_ok=True)
    return Plan(search_of(**changes), fusion, Log(folder))


@pytest.mark.parametrize("tuner", TUNERS)
def test_it_goes_on_as_if_it_had_not_been_stopped(fusion, tmp_path, tuner):
    expected = run(make(fusion, tmp_path / "whole", tuner=tuner))
    whole = (tmp_path / "whole" / LOG).read_bytes()
    folder = tmp_path / "cut"
    folder.mkdir()
    for length in random.Random(0).sample(range(len(whole)), 4):
        (folder / LOG).write_bytes(whole[:length])  # in the middle of a line, too
        assert run(make(fusion, folder, tuner=tuner)) == expected


def test_two_that_run_at_once_are_both_begun_again(fusion, tmp_path):
    plan = make(fusion, tmp_path / "runs")
    both = [plan.ask(math.inf), plan.ask(math.inf)]
    again = make(fusion, tmp_path / "runs")
    assert [again.ask(math.inf), again.ask(math.inf)] == both


def test_what_everybody_should_have_tried_comes_first(fusion, tmp_path):
    fusions = [values["fusion"] for values in run(make(fusion, tmp_path / "runs"))]
    known = ["Concatenation", "ScalarWeighting", "late average", "only-a", "only-b"]
    assert fusions[:5] == known
    # Single modalities are tried once each.
    assert not {"only-a", "only-b"} & {*fusions[5:]}


def test_first_points_are_the_defaults_or_what_is_nearest_to_them(fusion):
    concatenation, *others = first.points(fusion)
    assert (
        concatenation["learning_rate"] == 1e-3 and type(concatenation["units"]) is int
    )
    assert concatenation["dropout"] == 0.5 and concatenation["modality_dropout"] == 0.3
    assert all(EPOCHS not in point for point in others)


@pytest.mark.parametrize("trials", [1, 6, 9, 14])
@pytest.mark.parametrize("tuner", TUNERS)
def test_a_search_never_costs_more_than_its_budget(fusion, tmp_path, tuner, trials):
    plan = make(fusion, tmp_path / "runs", tuner=tuner, trials=trials)
    lengths = [values.get(EPOCHS, LONG) for values in run(plan)]
    assert (trials - 1) * LONG <= sum(lengths) <= trials * LONG
    assert plan.full("0000") and lengths[0] == LONG


def test_hyperband_ends_with_its_best_trained_to_the_end(fusion, tmp_path):
    plan = make(fusion, tmp_path / "runs", trials=12)
    tried = run(plan)
    short = {name: s for name, s in plan.scores.items() if not plan.full(name)}
    best = plan.values[max(short, key=short.get)]
    whole = {k: v for k, v in best.items() if not k.startswith("tuner/")}
    assert whole in tried and len(short) > 5


@pytest.mark.parametrize(
    "trials, minutes, tuner",
    [
        (10, None, "hyperband"),
        (40, None, "random"),
        (40, 10, "hyperband"),
    ],
)
def test_hyperband_is_for_few_full_trainings(fusion, tmp_path, trials, minutes, tuner):
    plan = make(fusion, tmp_path / "runs", tuner="auto", trials=trials)
    seconds = 60 * minutes if minutes else math.inf
    while plan.oracle is None:
        step(plan, seconds, takes=60.0)
    assert plan.tuner == tuner


def test_no_trial_begins_that_would_not_end_in_time(fusion, tmp_path):
    plan = make(fusion, tmp_path / "runs", tuner="random", trials=100)
    left, count = 100.0, 0
    while step(plan, left, takes=9.0):
        left, count = left - 9.0, count + 1
    assert count == 11 and left >= 0


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_no_two_seeds_draw_the_same_numbers(fusion, tmp_path, tuner):
    rates = []
    for seed in range(2):
        plan = make(fusion, tmp_path / f"{seed}", tuner=tuner, seed=seed)
        drawn = [v["learning_rate"] for v in run(plan)]
        rates.append({*drawn[len(plan.first) :]})
    assert len(rates[0]) > 3 and not rates[0] & rates[1]


def test_a_failed_trial_is_told_and_the_search_goes_on(fusion, tmp_path):
    plan = make(fusion, tmp_path / "runs", tuner="random")
    for _ in range(10):
        name, _ = plan.ask(math.inf)
        plan.tell(name, None, 1.0, 0.0)
    assert step(plan) and plan.scores[name] is None


@pytest.mark.slow
def test_bayesian_search_goes_on_too(fusion, tmp_path):
    """It thinks for seconds over a point, so this one stops only once."""
    changes = {"tuner": "bayesian", "trials": 9}
    expected = run(make(fusion, tmp_path / "runs", **changes))
    log = tmp_path / "runs" / LOG
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-3]))
    assert run(make(fusion, tmp_path / "runs", **changes)) == expected


@pytest.mark.soak
def test_bayesian_search_learns_from_its_trials(fusion, tmp_path):
    learned = drawn = 0.0
    for seed in range(2):
        plans = [
            make(fusion, tmp_path / f"{tuner}{seed}", tuner=tuner, seed=seed, trials=24)
            for tuner in ("random", "bayesian")
        ]
        at_random, bayesian = map(run, plans)
        drawn += sum(map(score, at_random[-12:]))
        learned += sum(map(score, bayesian[-12:]))
    assert learned > drawn + 0.5


def test_the_private_parts_of_keras_tuner_are_there():
    for kind, names in oracles.PRIVATE.items():
        parts = {*dir(kind), *kind(objective="loss").__dict__}
        assert {*names} <= parts
