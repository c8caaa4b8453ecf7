"""The weights that are published give the scores that are published."""

import pytest

from keras_fusion.experiments import recipes, variants
from keras_fusion.experiments.evaluation import missing_scores
from keras_fusion.experiments.reports.card import best_seed
from keras_fusion.experiments.results import read
from keras_fusion.experiments.scores import accuracy
from keras_fusion.zoo import published


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mfeat_modality_attention", "mfeat_adaptive_weighting"]
)
def test_a_published_score_comes_from_the_published_weights(name):
    recipe = recipes.read(name)
    results = read(published.folder() / name / "results.json")
    seed = best_seed(results)
    data = recipes.load_data(recipe, seed)
    model = variants.build(recipe, data, modality_mask=True, weights=name)
    scores = missing_scores(model, data.test, accuracy, draws=1)
    expected = results.scores["model"]
    one_row = 1.01 / len(data.test.labels)  # may flip by the rounding of a backend
    assert scores["all"] == pytest.approx(expected.all[seed], abs=one_row)
    for modality, score in scores["missing"].items():
        own = expected.missing[modality][seed]
        assert score == pytest.approx(own, abs=one_row)
