"""Which point of the space is tried next: first the known ones, then an oracle's."""

import bisect
import statistics

import keras_tuner

from keras_fusion.tuning import first
from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.log import Log
from keras_fusion.tuning.oracles import OBJECTIVE, make_oracle
from keras_fusion.tuning.search_file import Search
from keras_fusion.tuning.space import EPOCHS, alone

WAIT = "wait"  # until a trial that runs has ended
FEW = 20  # full trainings: with fewer to spend, hyperband looks at more points


class Plan:
    """Gives out trials, is told how they ended, and goes on from the log of both.

    Single modalities are tried once each, as first points; the oracle draws from all
    else. With the tuner `"auto"` the oracle is chosen when all first points have ended,
    since how long they took says how many more there can be.
    """

    def __init__(self, search: Search, fusion: FusionHyperModel, log: Log):
        self.search, self.log = search, log
        self.space = keras_tuner.HyperParameters()
        fusion.without_singles().draw(self.space)
        self.first = first.points(fusion)
        self.values, self.scores = {}, {}  # by trial
        self.spent, self.seconds = 0.0, []  # full trainings begun, and what each took
        self.oracle, self.tuner, self._asked = None, None, {}
        for event in log.events:
            self._replay(event)
        self._again = [name for name in self.values if name not in self.scores]

    def ask(self, seconds: float, workers: int = 1) -> tuple[str, dict] | str | None:
        """The name and the values of the next trial, `WAIT`, or None for no more.

        Args:
            seconds: What a trial may take at the most.
            workers: How many trials run at once.
        """
        if self._again:
            name = self._again.pop(0)
            return name, self.values[name]
        if seconds <= 0:
            return None
        if len(self.values) < len(self.first):
            return (
                self._start(self.first[len(self.values)])
                if self._fits(seconds)
                else None
            )
        if self.oracle is None:
            if self._running():
                return WAIT
            if not self._fits(seconds):
                return None
            self._choose(self._tuner(seconds * workers))
        return self._draw(seconds) or self._finish(seconds)

    def tell(self, name: str, score: float | None, seconds: float, at: float) -> None:
        """How a trial ended; a score of None is a failure."""
        self._end(self.log.add(end=name, score=score, seconds=seconds, at=at))

    def left(self) -> float:
        """How many full trainings may still begin."""
        return round(self.search.search.trials - self.spent, 6)

    def full(self, name: str) -> bool:
        """Whether this trial trains to the end."""
        return self.values[name].get(EPOCHS, 0) in (0, self.search.training.epochs)

    def _takes(self):
        """The seconds of a full training, 0 where nothing is known."""
        return statistics.median(self.seconds) if self.seconds else 0

    def _fits(self, seconds):
        """Whether one more full training is within the budget."""
        return self.left() >= 1 and self._takes() <= seconds

    def _draw(self, seconds):
        """A trial of the oracle's, which costs no more than what is left."""
        left, full = self.left(), self._takes()
        if full:
            left = min(left, seconds / full)
        if self.tuner == "hyperband":  # the last part trains the best to the end
            left -= 1
        if left <= 0:
            return None
        self.oracle.left = left
        trial = self.oracle.create_trial(self._name())
        if trial.status == "IDLE":
            return WAIT
        if trial.status == "STOPPED":
            if left >= 1:
                self.log.add(exhausted=True)
            return None
        self._asked[self._name()] = trial
        return self._start(dict(trial.hyperparameters.values))

    def _finish(self, seconds):
        """The best of the trials that were cut short, trained to the end."""
        if self._running():
            return WAIT
        whole = [self.values[n] for n in self.scores if self.full(n)]
        short = [
            n for n, s in self.scores.items() if s is not None and not self.full(n)
        ]
        for name in sorted(short, key=self.scores.get, reverse=True)[:1]:
            values = shown(self.values[name], epochs=False)
            if values not in whole and self._fits(seconds):
                return self._start(values, final=True)
        return None

    def _tuner(self, seconds):
        """The tuner, by how many full trainings there can be."""
        wanted = self.search.search.tuner
        if wanted != "auto":
            return wanted
        full = self._takes()
        count = min(self.left(), seconds / full) if full else self.left()
        # Bayesian search thinks for seconds over every point, which short trainings
        # would pay for with most of their time.
        return "hyperband" if count < FEW else "random"

    def _running(self):
        return len(self.values) > len(self.scores)

    def _name(self):
        return f"{len(self.values):04d}"

    def _start(self, values, final=False):
        name = self._name()
        self.log.add(start=name, values=values, final=final)
        self._begin(name, values)
        return name, values

    def _begin(self, name, values):
        self.values[name] = values
        epochs = self.search.training.epochs
        self.spent += values.get(EPOCHS, epochs) / epochs

    def _choose(self, tuner):
        self.log.add(oracle=tuner)
        self._make(tuner)

    def _make(self, tuner):
        """The oracle, told of the first trials as if it had drawn them."""
        self.tuner = tuner
        self.oracle = make_oracle(self.search, tuner, self.space)
        self.oracle.first = True
        for name, values in self.values.items():
            if not alone(values["fusion"]):
                self.oracle.given = [values]
                self._asked[name] = self.oracle.create_trial(name)
        self.oracle.first = False
        for name in self.scores:
            self._tell_oracle(name)

    def _replay(self, event):
        if "oracle" in event:
            self._make(event["oracle"])
        elif "end" in event:
            self._end(event)
        elif "start" in event:
            name, values = event["start"], event["values"]
            if self.oracle is not None and not event["final"]:
                self.oracle.given = [values]
                self._asked[name] = self.oracle.create_trial(name)
            self._begin(name, values)

    def _end(self, event):
        name = event["end"]
        self.scores[name] = event["score"]
        if event["score"] is not None and self.full(name):
            bisect.insort(self.seconds, event["seconds"])
        if self.oracle is not None:
            self._tell_oracle(name)

    def _tell_oracle(self, name):
        trial = self._asked.get(name)
        if trial is None:
            return
        score = self.scores[name]
        if score is not None:
            self.oracle.update_trial(trial.trial_id, {OBJECTIVE: score})
        trial.status = "FAILED" if score is None else "COMPLETED"
        self.oracle.end_trial(trial)


def shown(values: dict, epochs: bool = True) -> dict:
    """Values without what a tuner notes among them, but for a trial's epochs."""
    kept = (EPOCHS,) if epochs else ()
    return {k: v for k, v in values.items() if k in kept or not k.startswith("tuner/")}
