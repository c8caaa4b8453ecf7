import contextlib
import logging
import time
from pathlib import Path

import keras_tuner

from keras_fusion.experiments import training
from keras_fusion.experiments.recipe import load_data
from keras_fusion.files import write_json
from keras_fusion.tuning import trial as trials
from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.identity import require_data
from keras_fusion.tuning.lock import held
from keras_fusion.tuning.oracles import OBJECTIVE, make_oracle, out_of_time, requeue
from keras_fusion.tuning.search_file import recipe_of
from keras_fusion.tuning.space import EPOCHS, alone

LOGGER = logging.getLogger(__name__)
PAUSE = 0.5  # seconds


class FusionTuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains every trial as `keras-fusion train` would.

    Args:
        search: From `search_file.read`.
        folder: Gets the tuner's state, and each trial in `trials/<name>/`.
        report: Is told the summary of every trial as it ends.
    """

    def __init__(self, search, folder, report):
        self.settings = search
        self.folder = folder
        self.report = report
        self.trial = None  # the name of the one under way
        self.asked = False  # for a trial, and got none
        seeds = search["training"]["seeds"]
        self.data = {s: load_data(recipe_of(search), s) for s in seeds}
        if not self._is_worker():
            require_data(folder, self.data)
        self.fusion = hypermodel(search, self.data[seeds[0]])
        # The space is known from the draws alone: no model is built to find it.
        with contextlib.redirect_stdout(None):  # it says where it reloads from
            super().__init__(
                make_oracle(search),
                hypermodel=self.fusion.draw,
                directory=str(folder),
                project_name="tuner",
            )
        self.oracle.verbose = 0
        if not self._is_worker():
            requeue(self.oracle)

    def pre_create_trial(self):
        if self.asked:  # others have to end before there is one
            time.sleep(PAUSE)
        self.asked = True
        if not self._is_worker():
            seconds = sum(t["seconds"] for t in trials.summaries(self.folder))
            self.oracle.is_over = out_of_time(self.settings, seconds)

    def on_trial_begin(self, trial):
        self.trial, self.asked = trial.trial_id, False
        self.began = time.perf_counter()

    def run_trial(self, trial):
        modality = alone(trial.hyperparameters.get("fusion"))
        recipe = self._recipe_of(trial)
        folder = trials.folder_of(self.folder, trial.trial_id)
        data = {s: d.only(modality) if modality else d for s, d in self.data.items()}
        try:
            # A worker that was taken for dead may still be at it: what it has done
            # by its end is found then, and not trained a second time.
            with held(folder, wait=True):
                records = [
                    training.fit(recipe, d, seed, folder / f"seed-{seed}")
                    for seed, d in data.items()
                ]
                epochs = self.settings["training"]["epochs"]
                done = trials.summary(recipe, data, folder, records, epochs)
                trials.write(self.folder, trial, done)
        except OSError as error:  # a full disk is nothing that the next trial mends
            raise keras_tuner.errors.FatalError(str(error)) from error
        return {OBJECTIVE: done["score"]}

    def on_trial_end(self, trial):
        if trial.status != "COMPLETED":
            seconds = time.perf_counter() - self.began
            trials.write(self.folder, trial, trials.failure(trial.message, seconds))
        self.trial = None
        super().on_trial_end(trial)
        self.report(trials.read(self.folder, trial.trial_id))

    def save(self):
        if not self._is_worker():  # whose folder is the chief's
            self.oracle.save()
            write_json(Path(self._get_tuner_fname()), self.get_state())

    def _try_run_and_update_trial(self, trial):
        """As keras-tuner's, which prints every traceback and keeps it as the reason."""
        try:
            self._run_and_update_trial(trial)
            trial.status = "COMPLETED"
        except keras_tuner.errors.FatalError:
            raise
        except Exception as error:
            LOGGER.debug("trial %s failed", trial.trial_id, exc_info=True)
            trial.status, trial.message = "FAILED", _reason(error)

    def _get_tuner_fname(self):
        # One name for all: a search that one process began, a chief can go on with.
        return str(self.folder / "tuner" / "state.json")

    def _recipe_of(self, trial):
        drawn = self.fusion.draw(trial.hyperparameters)
        settings = self.settings["training"] | drawn["training"]
        epochs = trial.hyperparameters.values.get(EPOCHS, settings["epochs"])
        drawn |= {"training": settings | {"epochs": int(epochs)}}
        return recipe_of(self.settings, **drawn)


def _reason(error):
    """Type and first line: Keras tells of all the call's arguments in the others."""
    lines = str(error).split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    return f"{type(error).__name__}: {first}".removesuffix(": ")


def hypermodel(search: dict, data) -> FusionHyperModel:
    """The space of a search over this data."""
    return FusionHyperModel(
        search["builder"],
        data.input_shapes,
        data.classes,
        space=search["space"],
        arguments=search["arguments"],
        optimizer=search["training"]["optimizer"],
        bars=search["usual_baselines"],
    )
