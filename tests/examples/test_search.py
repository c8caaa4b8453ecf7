"""Optuna and Ray Tune draw points that the space of a search holds."""

import os
import subprocess
import sys

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


@pytest.mark.slow
def test_ray_tune_searches_the_space(tmp_path):
    """In a process of its own, in whose home Ray Tune leaves its results."""
    pytest.importorskip("ray.tune")
    code = "from examples import search_with_ray_tune; search_with_ray_tune.main(2, 1)"
    # Ray's processes step back for all others, and might wait for them without end.
    own = {"HOME": str(tmp_path), "RAY_worker_niceness": "0"}
    environment = os.environ | own
    subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    )
    assert len(list(tmp_path.glob("ray_results/*/*/result.json"))) == 2
