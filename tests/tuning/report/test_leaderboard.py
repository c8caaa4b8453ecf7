import dataclasses

import pytest

from keras_fusion.tuning.report import leaderboard
from keras_fusion.tuning.results import Ensemble, Reference
from tests.tuning.samples import failed, results, trial

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_the_best_come_first_and_the_bar_is_always_shown():
    trials = results().trials
    scores = [t.score for t in leaderboard.ranked(trials)]
    assert len(scores) == 14 and scores == sorted(scores, reverse=True)
    references = {"linear model": Reference(score=0.5, seconds=0.1)}
    _, rows = leaderboard.rows(trials, limit=1, references=references)
    assert rows.pop()[1:6] == ["linear model", "", "", "", "50.0 %"]
    best = leaderboard.baselines(trials)
    assert list(best) and set(best) == {"concatenation", "late average", "best single"}
    assert {row[1] for row in rows} >= {"Concatenation", "late average", "only-a"}
    for kind, fusion in zip(sorted(best), ["only-a", "Concatenation", "late average"]):
        of_kind = [t.score for t in trials if t.values["fusion"] == fusion]
        assert best[kind].score == max(of_kind)


def test_of_equal_scores_the_smaller_model_is_first():
    trials = [trial(5, "Summation", 0.5), trial(2, "Product", 0.5)]
    assert [t.trial for t in leaderboard.ranked(trials)] == ["0002", "0005"]


def test_no_short_training_is_named_the_winner():
    short = trial(0, "Product", 0.9, epochs=2, of=4)
    whole = trial(1, "Summation", 0.5)
    assert leaderboard.ranked([short, whole]) == [whole, short]
    assert leaderboard.unfinished([short, whole]) is None
    assert "trained for 2 of 4 epochs" in leaderboard.unfinished([short])


@pytest.mark.parametrize(
    "scores, metric, text",
    [
        ([0.5], "accuracy", "50.0 %"),
        ([0.4, 0.6], "accuracy", "50.0±14.1 %"),
        ([-0.25], "minus loss", "loss 0.2500"),
    ],
)
def test_scores_are_percents_and_losses_are_not(scores, metric, text):
    one = trial(0, "Summation", 0.5, metric=metric)
    one = dataclasses.replace(one, scores=scores)
    assert leaderboard.score_text(one) == text


def test_a_trial_in_one_line():
    done = leaderboard.described(trial(3, "ModalityAttention", 0.5))
    assert done == (
        "trial 0003: ModalityAttention(readout=query): 50.0 % after 4 epochs, 1.5 s"
    )
    assert "Product failed: MemoryError: <no room>" in leaderboard.described(failed(1))
    assert leaderboard.counted(results().trials) == "14 trials completed, 1 failed"


def test_it_says_what_is_better_without_a_search_and_what_is_together():
    trials = [trial(0, "Summation", 0.8), trial(1, "Product", 0.7)]
    known = {"boosting": Reference(score=0.85, seconds=1.0)}
    known["linear model"] = Reference(score=0.9, seconds=0.1)
    found = dataclasses.replace(results(), trials=trials, references=known)
    assert leaderboard.ahead_text(found).endswith("every trial: linear model, 90.0 %.")
    less = {"linear model": Reference(score=0.8, seconds=0.1)}
    assert leaderboard.ahead_text(dataclasses.replace(found, references=less)) is None
    both = Ensemble(weights={"0000": 2, "0001": 1}, scores=[0.8, 0.79, 0.82])
    text = leaderboard.ensemble_text(dataclasses.replace(found, ensemble=both))
    assert "0000 x 2, 0001 x 1 has 82.0 %" in text and "alone has 80.0 %" in text
    single = Ensemble(weights={"0001": 1}, scores=[0.7])
    text = leaderboard.ensemble_text(dataclasses.replace(found, ensemble=single))
    assert text == "No mean of several trials was better than a single one."
