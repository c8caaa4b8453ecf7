import dataclasses

import pytest

from keras_fusion.experiments import recipes
from keras_fusion.experiments.reports import card
from keras_fusion.tuning import promote
from keras_fusion.tuning.promotion import baseline_that_won, seconds_of
from tests.tuning.samples import results, trial

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def of(trials):
    return dataclasses.replace(results(), trials=trials)


def test_the_best_fusion_becomes_a_recipe(tmp_path):
    found = results()
    found.trials.append(trial(20, "late average", 0.99))
    found.trials.append(trial(21, "Summation", 0.98, epochs=7))
    found.trials.append(trial(22, "Product", 0.99, epochs=2, of=7))
    few = recipes.Split(labels_per_class=3)
    search = dataclasses.replace(found.search, split=few)
    found = dataclasses.replace(found, search=search)
    recipe = recipes.read(str(promote(found, tmp_path / "mine")))
    assert recipe.name == "mine" and recipe.dataset == "npz:x.npz"
    assert recipe.arguments["fusion"] == {"class_name": "Summation", "config": {}}
    assert recipe.training.epochs == 7 and len(recipe.training.seeds) == 5
    assert recipe.split == recipes.Split(labels_per_class=3, train_on_validation=True)
    text = (tmp_path / "mine" / "README.md").read_text()
    assert card.BEGIN in text and "98.0 % on validation" in text
    assert (
        "a baseline won: late average, with 99.0 %; the best fusion has 98.0 %" in text
    )


def test_only_a_bar_that_won_is_told():
    fusion, baseline = trial(0, "Summation", 0.7), trial(1, "Concatenation", 0.6)
    assert baseline_that_won([fusion, baseline]) is None
    won = dataclasses.replace(baseline, score=0.8)
    assert "a baseline won: Concatenation" in baseline_that_won([fusion, won])


def test_what_trained_for_two_epochs_is_promoted_for_all_of_them(tmp_path):
    found = dataclasses.replace(
        results(), trials=[trial(0, "Summation", 0.9, epochs=2, of=100)]
    )
    recipe = recipes.read(str(promote(found, tmp_path / "mine")))
    assert recipe.training.epochs == 100
    assert "after 2 of 100 epochs" in (tmp_path / "mine" / "README.md").read_text()


def test_it_trains_for_as_long_as_the_best_was_found_after(tmp_path):
    best = dataclasses.replace(trial(0, "Summation", 0.9, epochs=9), best_epoch=4)
    found = of([best])
    assert recipes.read(str(promote(found, tmp_path / "mine"))).training.epochs == 4
    text = (tmp_path / "mine" / "README.md").read_text()
    assert "on validation, best after 4 epochs; here it is trained for as many." in text


def test_the_time_of_a_promotion_grows_with_its_epochs():
    trial_of_4 = trial(0, "Summation", 0.9, epochs=4, of=100)  # 1 s of 1.5 s in fit
    assert seconds_of(trial_of_4, 100) == 0.5 + 1.0 * 100 / 4


def test_a_bar_alone_is_nothing_to_promote(tmp_path):
    with pytest.raises(ValueError, match="no fusion to promote"):
        promote(
            of([trial(0, "only-a", 0.5)]),
            tmp_path / "mine",
        )
