import pytest

from keras_fusion import card
from keras_fusion import recipe as recipes
from keras_fusion.tuning import promote
from tests.tuning.samples import results, trial

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_the_best_fusion_becomes_a_recipe(tmp_path):
    found = results()
    found["trials"].append(trial(20, "late average", 0.99))
    found["trials"].append(trial(21, "Summation", 0.98, epochs=7))
    found["search"] = found["search"] | {"split": {"labels_per_class": 3}}
    recipe = recipes.read(str(promote(found, tmp_path / "mine")))
    assert recipe["name"] == "mine" and recipe["dataset"] == "npz:x.npz"
    assert recipe["arguments"]["fusion"] == {"class_name": "Summation", "config": {}}
    assert recipe["training"]["epochs"] == 7 and len(recipe["training"]["seeds"]) == 5
    assert recipe["split"] == {"labels_per_class": 3, "train_on_validation": True}
    text = (tmp_path / "mine" / "README.md").read_text()
    assert card.BEGIN in text and "98.0 % on validation" in text


def test_nothing_is_overwritten(tmp_path):
    promote(results(), tmp_path / "mine")
    with pytest.raises(ValueError, match="is there already"):
        promote(results(), tmp_path / "mine")


def test_a_bar_alone_is_nothing_to_promote(tmp_path):
    with pytest.raises(ValueError, match="no fusion to promote"):
        promote({"trials": [trial(0, "only-a", 0.5)], "search": {}}, tmp_path / "mine")
