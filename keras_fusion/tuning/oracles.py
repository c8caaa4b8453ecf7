"""keras-tuner's oracles, their files whole and their unfinished trials kept."""

import copy
import math
import warnings
from pathlib import Path

import keras_tuner
import numpy as np
from keras_tuner.src.engine import conditions, metrics_tracking
from sklearn.exceptions import ConvergenceWarning

from keras_fusion.files import write_json
from keras_fusion.tuning.space import EPOCHS

OBJECTIVE = "score"
ENDLESS = 10**9


def make_oracle(search: dict):
    """The oracle that a search names, with its seed.

    It makes no trial that would cost more than what is left of `trials`, where a trial
    that trains shorter than `epochs` counts as the part of one that it is; nor any more
    once it `is_over`.
    """
    budget, epochs = search["search"], search["training"]["epochs"]
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        # keras-tuner draws its j-th number by seed + j: of neighbours, one would draw
        # what the other did, shifted by one.
        "seed": int(np.random.SeedSequence(budget["seed"]).generate_state(1)[0]),
        "max_retries_per_trial": 0,
        "max_consecutive_failed_trials": ENDLESS,
    }
    if budget["tuner"] == "hyperband":
        return _searching(keras_tuner.oracles.HyperbandOracle, search)(
            max_epochs=epochs, hyperband_iterations=ENDLESS, **common
        )
    if budget["tuner"] == "bayesian":
        # Its own default, thrice the hyperparameters, is more than most searches draw.
        initial = math.ceil(budget["trials"] / 3)
        return _searching(_BayesianOracle, search)(
            max_trials=None, num_initial_points=initial, **common
        )
    return _searching(keras_tuner.oracles.RandomSearchOracle, search)(
        max_trials=None, **common
    )


def out_of_time(search: dict, seconds: float) -> bool:
    """Whether trials that took so many seconds used up the minutes of a search."""
    minutes = search["search"]["minutes"]
    return minutes is not None and seconds >= 60 * minutes


def spent(oracle, search: dict) -> float:
    """The trials there are, each as the part of a full one that it is."""
    epochs = search["training"]["epochs"]
    trained = (t.hyperparameters.values for t in oracle.trials.values())
    return round(sum(values.get(EPOCHS, epochs) / epochs for values in trained), 6)


def requeue(oracle) -> None:
    """Sends what was under way when the last process died to be run again.

    keras-tuner forgets a trial whose own file is there but not yet named in the
    oracle's, and would draw the same one again; and it saves one that has ended as
    still under way.
    """
    oracle.trials = dict(sorted(oracle.trials.items()))  # read in any order
    known = {*oracle.end_order, *oracle._retry_queue}
    for name in oracle.trials:
        if name not in known:
            oracle._retry_queue.append(name)
            oracle._record_values(oracle.trials[name])
    ended = {*oracle.end_order}
    oracle._retry_queue = [name for name in oracle._retry_queue if name not in ended]
    for name in oracle._retry_queue:  # what it had reported before it was stopped
        oracle.trials[name].metrics = metrics_tracking.MetricsTracker()


class _BayesianOracle(keras_tuner.oracles.BayesianOptimizationOracle):
    """Draws the same whether or not the search was interrupted."""

    def set_state(self, state):
        super().set_state(state | {"num_initial_points": self.num_initial_points})

    def populate_space(self, trial_id):
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        with warnings.catch_warnings():  # a flat score has no length to fit
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().populate_space(trial_id)


def _searching(oracle, search):
    """A kind of oracle that heeds a budget, and whose files appear whole or not at all.

    keras-tuner writes them in place: a kill leaves half of one, and with it the whole
    search cannot be read any more.
    """
    trials, epochs = search["search"]["trials"], search["training"]["epochs"]

    class Searching(oracle):
        is_over = False

        def populate_space(self, trial_id):
            left = trials - spent(self, search)
            if self.is_over or left <= 0:
                return {"status": "STOPPED"}
            # Hyperband notes what it draws, so what is too long is taken back whole.
            before = copy.deepcopy(self.get_state()) if left < 1 else None
            drawn = super().populate_space(trial_id)
            if before and drawn.get("values", {}).get(EPOCHS, epochs) > left * epochs:
                self.set_state(before)
                return {"status": "STOPPED"}
            return drawn

        def save(self):
            write_json(Path(self._get_oracle_fname()), self.get_state())

        def _save_trial(self, trial):
            folder = Path(self._get_trial_dir(trial.trial_id))
            write_json(folder / "trial.json", trial.get_state())

    return Searching


# It prints a value of every condition that it sends.
conditions.print = lambda *values: None
