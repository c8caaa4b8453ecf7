"""Runs a search trial by trial, and goes on with it after a kill."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import keras_tuner
from keras_tuner.src.distribute import utils as dist_utils

from keras_fusion.provenance import provenance
from keras_fusion.tuning import workers as crew
from keras_fusion.tuning.chief import Chief
from keras_fusion.tuning.identity import IDENTITY, begin
from keras_fusion.tuning.lock import held
from keras_fusion.tuning.trial import summaries
from keras_fusion.tuning.tuner import FusionTuner
from keras_fusion.tuning.worker import work

RESULTS = "results.json"


def search(
    search: dict,
    folder: Path,
    report: Callable[[dict], None] = lambda trial: None,
    workers: int | None = None,
) -> list[dict]:
    """Runs what is left of a search.

    Every trial is a run of `training.fit` in a folder of its own, so that a search that
    was killed goes on inside the trial in which it was.

    Where keras-tuner's environment variables name a chief, this process is the chief,
    or one of its workers, and the folder is one that all of them see.

    Args:
        search: From `search_file.read`.
        folder: Of this search alone: gets the tuner's state and the trials.
        report: Is told the summary of every trial as it ends.
        workers: Processes to share the trials among; None runs them in this one.

    Returns:
        The summary of every trial so far, in the order of their names; in a worker
        nothing, since the chief has them.

    Raises:
        OSError: If a file could not be written.
        ValueError: If the folder holds another search, another process is at work
            there, the space is empty, or every trial failed.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be a number from 1; received {workers}.")
    with _named(folder):
        if is_worker():
            _await(folder / IDENTITY)
            begin(search, folder)
            if not _has_results(search, folder):
                work(search, folder)
            return []
        with held(folder, wait=False):
            begin(search, folder)
            if dist_utils.is_chief_oracle():
                _serve(FusionTuner(search, folder, report))
            elif workers:
                crew.run(search, folder, report, workers)
            else:
                _run_here(FusionTuner(search, folder, report))
            return ended(folder)


def is_worker() -> bool:
    """Whether this process is told to be a worker of a chief elsewhere."""
    return dist_utils.has_chief_oracle() and not dist_utils.is_chief_oracle()


def _run_here(tuner):
    try:
        tuner.search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None


def _serve(tuner):
    host, port = (os.environ[f"KERASTUNER_ORACLE_{part}"] for part in ("IP", "PORT"))
    with Chief(tuner, f"{host}:{port}") as chief:
        while not chief.over():
            time.sleep(0.2)


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


def _has_results(search, folder):
    """Whether the chief is gone, since all is done: no worker need wait for it."""
    path = folder / RESULTS
    if not path.is_file():
        return False
    return json.loads(path.read_text())["search"] == json.loads(json.dumps(search))


def _await(path, minutes=10):
    """Waits for what the chief writes first."""
    until = time.monotonic() + 60 * minutes
    while not path.is_file():
        if time.monotonic() > until:
            raise ValueError(f"No chief has written {path} within {minutes} minutes.")
        time.sleep(0.5)


def ended(folder: Path) -> list[dict]:
    """The trials of a search that ended; a ValueError where all of them failed."""
    found = summaries(folder)
    if not any(t["status"] == "completed" for t in found):
        reason = found[-1]["reason"] if found else "there is none"
        raise ValueError(f"All {len(found)} trials failed; the last because: {reason}")
    return found


def results(search: dict, folder: Path) -> dict:
    """What `results.json` holds: the search, every trial, where the numbers are from.

    A trial has its active `values`, `scores` by seed with their mean `score` and
    `spread`, `parameters`, `seconds` of training, `latency` (milliseconds), `status`
    and `reason`, a learning `curve`, and the `recipe` that trains it again.
    """
    return {"search": search, "trials": summaries(folder), **provenance()}
