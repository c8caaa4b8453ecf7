"""Optuna and Ray Tune draw points that the space of a search holds."""

import pytest

from examples import search_elsewhere
from keras_fusion.tuning import FusionHyperModel

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.fixture(scope="module")
def fusion():
    return FusionHyperModel(
        "FusionClassifier", search_elsewhere.SHAPES, 3, space=search_elsewhere.SPACE
    )


def test_optuna_searches_the_space(fusion):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = search_elsewhere.with_optuna(fusion, trials=2, epochs=1)
    assert {t.state.name for t in study.trials} == {"COMPLETE"}
    for trial in study.trials:
        of_operators = {n.split(".")[0] for n in trial.params if "." in n}
        assert of_operators <= {trial.params["fusion"]}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_tune_draws_what_can_be_built(fusion):
    pytest.importorskip("ray.tune")
    domains = search_elsewhere.ray_space(fusion)
    config = {name: domain.sample() for name, domain in domains.items()}
    point = search_elsewhere.point(config)
    assert fusion.build(point).output_shape == (None, 3)
