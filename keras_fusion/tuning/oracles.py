"""keras-tuner's oracles, which decide what is tried next.

The search asks them by their public methods, `create_trial`, `update_trial` and
`end_trial`. Their own files are not used: what was asked and told stands in the log of
the search, and an oracle that is asked and told the same again is in the same state.
"""

import copy
import math
import warnings

import keras_tuner
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from keras_fusion.tuning.search_file import Search
from keras_fusion.tuning.space import EPOCHS

OBJECTIVE = "score"
ENDLESS = 10**9
# The private parts of keras-tuner that this file relies on; no other file does.
PRIVATE = {
    keras_tuner.oracles.RandomSearchOracle: ("_save_trial",),
    keras_tuner.oracles.HyperbandOracle: ("_save_trial",),
    keras_tuner.oracles.BayesianOptimizationOracle: ("_save_trial", "_random_state"),
}


def make_oracle(search: Search, tuner: str, space: keras_tuner.HyperParameters):
    """The oracle of this name, which never ends before its space is exhausted.

    Args:
        search: Its seed, epochs and number of trials count.
        tuner: `"hyperband"`, `"random"` or `"bayesian"`.
        space: All hyperparameters of the search.

    Returns:
        An oracle with two attributes more. `given` may hold values for the trials to
        come, which it then takes in place of its own. `left` is how much of a full
        training the next trial may cost; a longer one is not made.
    """
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, "max"),
        # keras-tuner draws its j-th number by seed + j: of neighbors, one would draw
        # what the other did, shifted by one.
        "seed": int(np.random.SeedSequence(search.search.seed).generate_state(1)[0]),
        "hyperparameters": space,
        "max_retries_per_trial": 0,
        "max_consecutive_failed_trials": ENDLESS,
    }
    if tuner == "hyperband":
        kind = keras_tuner.oracles.HyperbandOracle
        own = {"max_epochs": search.training.epochs, "hyperband_iterations": ENDLESS}
    elif tuner == "bayesian":
        # Its own default, thrice the hyperparameters, is more than most searches draw.
        initial = math.ceil(search.search.trials / 3)
        kind, own = _Bayesian, {"max_trials": None, "num_initial_points": initial}
    else:
        kind, own = keras_tuner.oracles.RandomSearchOracle, {"max_trials": None}
    oracle = _searching(kind, search.training.epochs)(**own, **common)
    oracle.verbose = 0
    return oracle


class _Bayesian(keras_tuner.oracles.BayesianOptimizationOracle):
    """Draws the same whether or not the search was interrupted."""

    def populate_space(self, trial_id):
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        # It fits a model to all trials, which would be in vain for values given.
        if self.given and len(self.trials) >= self.num_initial_points:
            return {"status": "RUNNING", "values": {}}
        with warnings.catch_warnings():  # a flat score has no length to fit
            warnings.simplefilter("ignore", ConvergenceWarning)
            return super().populate_space(trial_id)


def _searching(kind, epochs):
    class Searching(kind):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.given, self.first, self.left = [], False, 1.0

        def populate_space(self, trial_id):
            if self.first:  # no trial of the oracle's own
                return {"status": "RUNNING", "values": self.given.pop(0)}
            # Hyperband notes what it draws, so what is too long is taken back whole.
            before = copy.deepcopy(self.get_state()) if self.left < 1 else None
            drawn = super().populate_space(trial_id)
            if self.given and drawn["status"] == "RUNNING":
                return drawn | {"values": self.given.pop(0)}
            cost = (drawn.get("values") or {}).get(EPOCHS, epochs) / epochs
            if before and cost > self.left + 1e-9:
                self.set_state(before)
                return {"status": "STOPPED"}
            return drawn

        def save(self):
            """Writes nothing: the log of the search has all there is to know."""

        def _save_trial(self, trial):
            """Writes nothing, as `save`."""

    return Searching
