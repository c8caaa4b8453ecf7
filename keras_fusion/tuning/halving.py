"""Successive halving, its new points near the best: the default tuner."""

import math
import random

import keras_tuner

from keras_fusion.tuning.space import EPOCHS

FIRST = "fusion"  # its choices are tried one after the other before anything else
LEADERS = 5
KEPT, STEP = 0.7, 0.2


class HalvingOracle(keras_tuner.Oracle):
    """Many short trials, of which the best are trained again for longer.

    A trial trains `max_epochs / factor^2`, `max_epochs / factor` or `max_epochs`
    epochs. Of those that ended on one rung the best `1 / factor` climb to the next, as
    soon as they are among them: no trial waits for others, so any number of workers
    can share the search. A new point is, first, each choice of `"fusion"` once, the
    rest of it random; then in turns a random one, and one of the leaders with some of
    its hyperparameters moved a little.

    Args:
        max_epochs: Of the longest trials.
        factor: What share climbs, and how much longer it trains then.
        **kwargs: As for `keras_tuner.Oracle`.

    Reference: Li et al., 2020, A System for Massively Parallel Hyperparameter Tuning
    (the promotion); moving the leaders is ours.
    """

    def __init__(self, max_epochs, factor=3, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        lengths = (max_epochs / factor**k for k in (2, 1, 0))
        self.rungs = sorted({math.ceil(n) for n in lengths})

    def populate_space(self, trial_id):
        """Values of the next trial, from the trials there are alone."""
        values = self._promoted() or self._new(trial_id)
        if values is None:
            return {"status": "STOPPED", "values": None}
        return {"status": "RUNNING", "values": values}

    def _promoted(self):
        """The best point that may climb, the highest rungs first."""
        for low, high in reversed(list(zip(self.rungs, self.rungs[1:]))):
            begun = {self._point(t) for t in self._on(high)}
            ended = self._ranked(self._on(low))
            for trial in ended[: len(ended) // self.factor]:
                if self._point(trial) not in begun:
                    return trial.hyperparameters.values | {EPOCHS: high}
        return None

    def _new(self, trial_id):
        rng = random.Random(f"{self.seed} {trial_id}")
        begun = len(self._on(self.rungs[0]))
        ended = self._ranked(self.trials.values())
        choices = self._choices()
        if begun < len(choices):
            values = self._sampled({FIRST: choices[begun]}, rng)
        elif begun % 2 and ended:
            values = self._near(ended, rng)
        else:
            values = self._random_values()
        return None if values is None else values | {EPOCHS: self.rungs[0]}

    def _near(self, ended, rng):
        """One of the leaders, moved; a random point where all its like were tried."""
        leaders = {}
        for trial in ended:
            leaders.setdefault(self._point(trial), trial)
        leaders = list(leaders.values())[:LEADERS]
        for _ in range(self._max_collisions):
            leader = rng.choice(leaders).hyperparameters.values
            values = self._sampled(leader, rng, moved=True)
            if not self._duplicate(values):
                return values
        return self._random_values()

    def _sampled(self, given, rng, moved=False):
        """A point that holds to what is given, or `moved` near it; the rest random."""
        hps = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            hps.merge([hp])
            if not hps.is_active(hp):
                continue
            value = given.get(hp.name)
            if value is None:
                value = hp.prob_to_value(rng.random())
            elif moved and rng.random() > KEPT:
                value = self._moved(hp, value, rng)
            hps.values[hp.name] = value
        return hps.values

    def _moved(self, hp, value, rng):
        if not getattr(hp, "ordered", True):
            return hp.prob_to_value(rng.random())
        place = hp.value_to_prob(value) + rng.gauss(0, STEP)
        return hp.prob_to_value(min(max(place, 0.0), 1 - 1e-9))

    def _choices(self):
        for hp in self.hyperparameters.space:
            if hp.name == FIRST:
                return list(hp.values)
        return []

    def _on(self, rung):
        trials = self.trials.values()
        return [t for t in trials if t.hyperparameters.values.get(EPOCHS) == rung]

    def _ranked(self, trials):
        ended = [t for t in trials if t.status == "COMPLETED"]
        better = 1 if self.objective.direction == "min" else -1
        return sorted(ended, key=lambda t: (better * t.score, t.trial_id))

    def _point(self, trial):
        return self._compute_values_hash(trial.hyperparameters.values)

    def _compute_values_hash(self, values):
        """One point, however long it trains."""
        return super()._compute_values_hash(
            {name: value for name, value in values.items() if name != EPOCHS}
        )
