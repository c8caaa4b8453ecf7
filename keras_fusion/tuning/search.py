"""Runs a search trial by trial, and goes on with it after a kill."""

import json
from collections.abc import Callable
from pathlib import Path

import keras
import keras_tuner

import keras_fusion
from keras_fusion.checkpoint import require_same
from keras_fusion.files import write_json
from keras_fusion.provenance import provenance
from keras_fusion.tuning.trial import summaries
from keras_fusion.tuning.tuner import FusionTuner

IDENTITY, RESULTS = "search.json", "results.json"


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
    begin(search, folder)
    try:
        FusionTuner(search, folder, report).search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    return ended(folder)


def begin(search: dict, folder: Path) -> None:
    """Makes the folder, or sees that it is this search's.

    A budget may grow from one call to the next; what is searched may not change.
    """
    fixed = {k: v for k, v in search.items() if k != "search"}
    fixed |= {k: search["search"][k] for k in ("tuner", "seed")}
    fixed |= {"keras_fusion": keras_fusion.__version__}
    fixed |= {"backend": keras.backend.backend()}
    fixed = json.loads(json.dumps(fixed))
    path = folder / IDENTITY
    if not path.is_file():
        write_json(path, fixed)
        return
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is broken ({error}); delete {folder}.") from error
    require_same(folder, found, fixed)


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
