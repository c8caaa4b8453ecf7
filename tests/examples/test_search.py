"""Optuna and Ray Tune draw points that the space of a search holds."""

import pytest

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def test_optuna_searches_the_space():
    optuna = pytest.importorskip("optuna")
    from examples import search_with_optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = search_with_optuna.main(trials=2, epochs=1)
    assert {t.state.name for t in study.trials} == {"COMPLETE"}
    for trial in study.trials:
        of_operators = {n.split(".")[0] for n in trial.params if "." in n}
        assert of_operators <= {trial.params["fusion"]}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_tune_draws_what_can_be_trained():
    pytest.importorskip("ray.tune")
    from examples import search_with_ray_tune as example

    domains = example.domains(example.hypermodel())
    config = {name: domain.sample() for name, domain in domains.items()}
    assert 0 <= example.accuracy(config, epochs=1) <= 1
