"""Runs a search trial by trial, and goes on with it after a kill."""

import contextlib
import functools
import time
from collections.abc import Callable
from pathlib import Path

import keras_tuner
import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import alone_in, read_json, write_json
from keras_fusion.common.provenance import provenance
from keras_fusion.experiments import schema
from keras_fusion.experiments.engines import Here, OnRay
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.tasks import task_of
from keras_fusion.tuning import references, selection, trials
from keras_fusion.tuning.clock import Clock
from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.identity import IDENTITY, begin, require_data
from keras_fusion.tuning.log import Log
from keras_fusion.tuning.plan import WAIT, Plan, shown
from keras_fusion.tuning.results import Results, Trial
from keras_fusion.tuning.search_file import Search, plain, recipe_of
from keras_fusion.tuning.space import EPOCHS, alone
from keras_fusion.tuning.storage import Kept, address_of, keep

RESULTS, REFERENCES, ENSEMBLE = "results.json", "references.json", "ensemble.json"
BOOSTING = 60.0  # seconds at the most
CALLS = 50  # trials a process: some backends keep a little of every model


def search(
    search: Search,
    folder: Path,
    report: Callable[[Trial], None] = lambda trial: None,
    *,
    workers: int | None = None,
    address: str | None = None,
    gpus: float = 0,
    storage: str | None = None,
) -> list[Trial]:
    """Runs what is left of a search.

    Every trial is a run of `training.fit` in a folder of its own, so that an
    interrupted search resumes in the middle of the trial that was running.

    Args:
        search: From `search_file.read`.
        folder: Of this search alone: gets the log and the trials. Every machine of a
            cluster has to see it, unless there is `storage`.
        report: Is told the summary of every trial as it ends.
        workers: Trials that run at once, each in a process of Ray's. None runs them
            one by one in this process; with `address`, one for each processor there.
        address: Of a Ray cluster; None starts Ray on this machine.
        gpus: GPUs of each of Ray's trials; a fraction shares one.
        storage: A folder, or an address of fsspec such as `s3://bucket/path`. Trials
            keep their checkpoints there and go on from them wherever they run again;
            one that has ended is copied into `folder`.

    Returns:
        The summary of every trial so far, in the order of their names.

    Raises:
        ImportError: If Ray, or what reaches the storage, is needed and not installed.
        OSError: If a file could not be written.
        ValueError: If the folder holds another search, another process is at work
            there, the space is empty, or no trial completed.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers must be a number from 1; received {workers}.")
    folder = Path(folder).resolve()
    began = time.monotonic()
    # Before there is a folder: data that cannot be read, or searched, leave none.
    data = {s: load_data(recipe_of(search), s) for s in search.training.seeds}
    fusion = hypermodel(search, next(iter(data.values())))
    with _named(folder), alone_in(folder):
        log = Log(folder)
        used = max((e.get("at", 0) for e in log.events), default=0)
        clock = Clock(search.search.minutes, used + time.monotonic() - began)
        begin(search, folder, begun=bool(log.events))
        if storage:
            storage = storage if "://" in storage else str(Path(storage).resolve())
            keep(folder / IDENTITY, f"{storage}/{search.name}")
        if workers is None and address is None:
            engine = Here(trials.run)
        else:
            engine = OnRay(trials.run, workers, address, gpus, CALLS)
        with engine:
            driver = _Driver(search, data, fusion, folder, engine, log, clock, storage)
            driver.run(report)
        return ended(folder)


class _Driver:
    """Gives trials to an engine, as the plan and the time allow."""

    def __init__(self, search, data, fusion, folder, engine, log, clock, storage):
        self.search, self.folder, self.engine = search, folder, engine
        self.fusion, self.clock, self.storage = fusion, clock, storage
        self.digests = require_data(folder, data)
        self.first = next(iter(data.values()))
        self.data = [engine.share(own) for own in data.values()]
        self.plan = Plan(search, self.fusion, log)

    def run(self, report):
        self._refer()
        running = 0
        while True:
            while running < self.engine.size:
                seconds = self.clock.left()
                proposed = self.plan.ask(seconds, self.engine.size)
                if proposed is None or proposed == WAIT:
                    break
                self._start(*proposed)
                running += 1
            if not running:
                self._choose()
                return
            name, outcome = self.engine.wait()
            running -= 1
            self._end(name, outcome, report)

    def _refer(self):
        """Judges what needs no search, once."""
        path = self.folder / REFERENCES
        if self.search.usual_baselines and not path.is_file():
            seconds = min(BOOSTING, self.clock.left() / 10)
            write_json(path, references.judge(self.first, seconds))

    def _choose(self):
        """The ensemble of the trials that were trained to their end."""
        labels = self.first.validation.labels
        names = [t.trial for t in trials.summaries(self.folder) if t.finished]
        if labels.ndim > 2 or not names:
            return
        outputs = {
            n: np.load(trials.folder_of(self.folder, n) / trials.OUTPUTS) for n in names
        }
        task = task_of(self.first)
        by = functools.partial(task.likelihood or task.score, labels)
        score = functools.partial(task.score, labels)
        write_json(self.folder / ENSEMBLE, selection.chosen(outputs, score, by))

    def _start(self, name, values):
        recipe, _ = self._drawn(values)
        modality = alone(values["fusion"])
        task = trials.Task(
            recipe=recipe,
            epochs=self.search.training.epochs,
            modality=modality,
            folder=self.folder,
            name=name,
            until=self.clock.until(),
            storage=self._address(recipe, modality),
        )
        self.engine.start(name, task, *self.data)

    def _end(self, name, outcome, report):
        if isinstance(outcome, RuntimeError):
            outcome = trials.failure(str(outcome), 0.0)
        if outcome == trials.STOPPED:  # with more minutes it goes on
            return
        values = self.plan.values[name]
        recipe, active = self._drawn(values)
        if self.storage and outcome.status == "completed":
            address = self._address(recipe, alone(values["fusion"]))
            Kept(address, trials.folder_of(self.folder, name)).fetch()
        summary = trials.write(self.folder, name, active, outcome)
        at = self.clock.elapsed()
        self.plan.tell(name, outcome.score, outcome.seconds, at)
        report(summary)

    def _address(self, recipe, modality):
        if self.storage:
            return address_of(self.storage, recipe, modality, self.digests)

    def _drawn(self, values):
        """The recipe of a point, and its active values."""
        hp = keras_tuner.HyperParameters()
        hp.values = dict(shown(values))
        drawn = self.fusion.draw(hp)
        training = plain(self.search)["training"] | drawn["training"]
        training |= {"epochs": int(values.get(EPOCHS, training["epochs"]))}
        active = {p.name: hp.values[p.name] for p in hp.space if hp.is_active(p)}
        if EPOCHS in values:
            active[EPOCHS] = values[EPOCHS]
        return recipe_of(self.search, **drawn | {"training": training}), active


def hypermodel(search: Search, data) -> FusionHyperModel:
    """The space of a search over this data.

    Raises:
        InputError: If the labels are times, which no search judges.
    """
    if data.times:
        raise InputError(
            f"{search.name}: a search is for classes and numbers, and the labels are "
            "times: use `keras-fusion evaluate`, with [baselines] to compare."
        )
    return FusionHyperModel(
        search.builder,
        data.input_shapes,
        data.classes,
        space=search.space,
        arguments=search.arguments,
        optimizer=search.training.optimizer,
        baselines=search.usual_baselines,
        task=data.task if data.task in ("multilabel", "ordinal") else None,
    )


@contextlib.contextmanager
def _named(folder):
    """A full disk says which one it is, and that nothing is lost."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        words = f"{error.strerror}, the same command goes on when that is mended"
        raise OSError(error.errno, words, str(error.filename or folder)) from error


def ended(folder: Path) -> list[Trial]:
    """The trials of a search that ended; a ValueError where none completed."""
    found = trials.summaries(folder)
    if not found:
        raise InputError(
            "The minutes were over before the first trial was trained to its end: the "
            "same command with more --minutes goes on."
        )
    if not any(t.status == "completed" for t in found):
        reason = found[-1].reason
        raise InputError(f"All {len(found)} trials failed; the last because: {reason}")
    return found


def exhausted(folder: Path) -> bool:
    """Whether a search ended since its space holds no other point."""
    events = Log(folder).events
    return bool(events) and "exhausted" in events[-1]


def results(search: Search, folder: Path) -> Results:
    """What `results.json` holds, of what there is by now."""
    found = {
        "search": plain(search),
        "trials": trials.summaries(folder),
        "references": _read(folder / REFERENCES),
        "ensemble": _read(folder / ENSEMBLE),
        **provenance(),
    }
    return schema.read(Results, found, search.name)


def _read(path):
    return read_json(path) if path.is_file() else {}
