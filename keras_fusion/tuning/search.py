"""Runs a search trial by trial, and goes on with it after a kill."""

import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import keras_tuner

from keras_fusion import recipe as recipes
from keras_fusion import training
from keras_fusion.checkpoint import require_same
from keras_fusion.files import write_json
from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.oracles import make_oracle, requeue
from keras_fusion.tuning.trial import failure, summary

IDENTITY, TRIAL = "search.json", "summary.json"


def search(
    search: dict, folder: Path, report: Callable[[dict], None] = lambda trial: None
) -> list[dict]:
    """Runs what is left of a search.

    Every trial is a run of `training.fit` in a folder of its own, so that a search that
    was killed goes on inside the trial in which it was.

    Args:
        search: From `search_file.read`.
        folder: Of this search alone: gets the tuner's state and the trials.
        report: Is told the summary of every trial as it ends.

    Returns:
        The summary of every trial so far, in the order of their names.

    Raises:
        ValueError: If the folder holds another search, the space is empty, or every
            trial failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _require_same_search(folder, search)
    tuner = _Tuner(search, folder, report)
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    found = summaries(folder)
    if not any(t["status"] == "completed" for t in found):
        raise ValueError(
            f"All {len(found)} trials failed; the last because: {found[-1]['reason']}"
        )
    return found


def summaries(folder: Path) -> list[dict]:
    """The summaries of the trials that ended in this folder, by their names."""
    files = sorted(folder.glob(f"trials/*/{TRIAL}"))
    return [json.loads(file.read_text()) for file in files]


def _require_same_search(folder, search):
    """A budget may grow from one call to the next; what is searched may not change."""
    fixed = {k: v for k, v in search.items() if k != "search"}
    fixed |= {k: search["search"][k] for k in ("tuner", "seed")}
    fixed = json.loads(json.dumps(fixed))
    path = folder / IDENTITY
    if path.is_file():
        require_same(folder, json.loads(path.read_text()), fixed)
    else:
        write_json(path, fixed)


class _Tuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains every trial as `keras-fusion train` would."""

    def __init__(self, search, folder, report):
        self.recipe = {k: v for k, v in search.items() if k not in ("space", "search")}
        self.folder = folder
        self.report = report
        self.minutes = search["search"]["minutes"]
        seeds = search["training"]["seeds"]
        self.data = {seed: recipes.load_data(search, seed) for seed in seeds}
        first = self.data[seeds[0]]
        self.fusion = FusionHyperModel(
            search["builder"],
            first.input_shapes,
            first.classes,
            space=search["space"],
            arguments=search["arguments"],
        )
        # The space is known from the draws alone: no model is built to find it.
        super().__init__(
            make_oracle(search),
            hypermodel=self.fusion.draw,
            directory=str(folder),
            project_name="tuner",
        )
        self.oracle.verbose = 0
        requeue(self.oracle)

    def pre_create_trial(self):
        spent = sum(t["seconds"] for t in summaries(self.folder)) / 60
        if self.minutes is not None and spent >= self.minutes:
            self.oracle.max_trials = len(self.oracle.trials)  # ends the search

    def on_trial_begin(self, trial):
        self.began = time.perf_counter()

    def run_trial(self, trial):
        recipe = self._recipe_of(trial)
        folder = self._folder_of(trial)
        try:
            records = [
                training.fit(recipe, data, seed, folder / f"seed-{seed}")
                for seed, data in self.data.items()
            ]
        except OSError as error:  # a full disk is nothing that the next trial mends
            raise keras_tuner.errors.FatalError(str(error)) from error
        scores = [record["validation"] for record in records]
        done = summary(recipe, self.data, folder, records)
        self._write(trial, done)
        return {"score": statistics.fmean(scores)}

    def on_trial_end(self, trial):
        if trial.status != "COMPLETED":
            self._write(trial, failure(trial.message, time.perf_counter() - self.began))
        super().on_trial_end(trial)
        self.report(json.loads((self._folder_of(trial) / TRIAL).read_text()))

    def _recipe_of(self, trial):
        drawn = self.fusion.draw(trial.hyperparameters)
        settings = self.recipe["training"] | drawn["training"]
        epochs = trial.hyperparameters.values.get("tuner/epochs", settings["epochs"])
        return self.recipe | drawn | {"training": settings | {"epochs": epochs}}

    def _folder_of(self, trial):
        """Hyperband trains a point again, for longer, under another trial's name."""
        return self.folder / "trials" / trial.trial_id

    def _write(self, trial, outcome):
        values = trial.hyperparameters.values
        named = {"trial": trial.trial_id, "values": values} | outcome
        assert all(math.isfinite(s) for s in named["scores"])
        write_json(self._folder_of(trial) / TRIAL, named)
