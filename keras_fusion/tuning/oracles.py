"""keras-tuner's oracles, their files whole and their unfinished trials kept."""

import json
from pathlib import Path

import keras_tuner
from keras_tuner.src.engine import stateful

from keras_fusion.files import whole

OBJECTIVE = "score"


def make_oracle(search: dict):
    """The oracle that a search names, with its budget and seed."""
    budget = search["search"]
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        "seed": budget["seed"] + 1,  # keras-tuner takes 0 for no seed at all
        "max_retries_per_trial": 0,
        "max_consecutive_failed_trials": budget["trials"] + 1,
    }
    if budget["tuner"] == "hyperband":
        return keras_tuner.oracles.HyperbandOracle(
            max_epochs=search["training"]["epochs"], **common
        )
    oracles = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }
    return oracles[budget["tuner"]](max_trials=budget["trials"], **common)


def requeue(oracle) -> None:
    """Sends what was under way when the last process died to be run again.

    keras-tuner forgets a trial whose own file is there but not yet named in the
    oracle's.
    """
    known = {*oracle.end_order, *oracle._retry_queue}
    oracle._retry_queue += [t for t in sorted(oracle.trials) if t not in known]


def _save_whole(self, fname):
    text = json.dumps(self.get_state())
    with whole(Path(fname)) as beside:
        beside.write_text(text)
    return text


# keras-tuner writes its files in place: a kill leaves half of one, and with it the
# whole search cannot be read any more.
stateful.Stateful.save = _save_whole
