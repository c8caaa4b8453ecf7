"""What a run needs to go on after a kill, in one file."""

import json
import time
from pathlib import Path

import keras
import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole
from keras_fusion.experiments.hosts import is_first
from keras_fusion.experiments.stopping import EarlyStopping

READABLE = 20  # characters of a value; digests are longer


def require_same(path: Path, found: dict, expected: dict) -> None:
    """Raises a ValueError that names what differs between two runs' identities."""
    differing = [*_differences({k: found.get(k) for k in expected}, expected)]
    if differing:
        raise InputError(
            f"{path} holds a run that differs in {', '.join(differing)}: repeat the "
            "options of that run, choose another --runs folder, or delete it to train "
            "anew."
        )


def _differences(there, now, within=""):
    """Each key whose values differ, with both where they can be read."""
    for key in [*now, *(k for k in there if k not in now)]:
        pair = there.get(key), now.get(key)
        if pair[0] == pair[1]:
            continue
        if all(isinstance(value, dict) for value in pair):
            yield from _differences(*pair, f"{within}{key}.")
        elif all(len(str(value)) <= READABLE for value in pair):
            yield f"{within}{key} ({pair[0]} there, {pair[1]} now)"
        else:
            yield f"{within}{key}"


class Checkpoint(keras.callbacks.Callback):
    """Keeps the history, and saves the run every so often.

    Args:
        path: An `.npz` file; it appears whole or not at all.
        identity: What must be the same for a run to go on from the file.
        every: Seconds between two saves.
        stopping: Early stopping, whose best weights are kept too, or None.

    Attributes:
        stage: Of the training, which decides what its optimizer holds.
    """

    def __init__(
        self,
        path: Path,
        identity: dict,
        every: float,
        stopping: EarlyStopping | None = None,
    ):
        super().__init__()
        self.path = Path(path)
        self.identity = identity
        self.every = every
        self.stopping = stopping
        self.history = {}
        self.seconds = 0.0
        self.stage = 0
        self.started = self.saved = time.perf_counter()

    def begun(self) -> tuple[int, int]:
        """The stage of training that the file was left in, and the epochs done."""
        if not self.path.is_file():
            return 0, 0
        record = json.loads(str(self._read(["record"])["record"]))
        require_same(self.path, record["identity"], self.identity)
        return record.get("stage", 0), len(record["history"]["loss"])

    def restore(self, model: keras.Model) -> None:
        """Puts `model`, as it is in the stage of `begun`, where the file left it."""
        model.optimizer.build(model.trainable_variables)
        if not self.path.is_file():
            return
        arrays = self._read()
        record = json.loads(str(arrays["record"]))
        for i, variable in enumerate(state_of(model)):
            variable.assign(arrays[f"state_{i}"])
        if self.stopping:
            best = [arrays[f"best_{i}"] for i in range(len(model.get_weights()))]
            self.stopping.resume(record["stopping"], best)
        self.history = record["history"]
        self.seconds = record["seconds"]

    def _read(self, names=None):
        try:
            with self.path.open("rb") as file:
                arrays = np.load(file, allow_pickle=False)
                return {name: arrays[name] for name in names or arrays.files}
        except Exception as error:  # numpy, zipfile, zlib and json raise many kinds
            raise InputError(
                f"{self.path} is broken ({error}); delete it to train anew."
            ) from error

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))
        if is_first() and time.perf_counter() - self.saved >= self.every:
            self._save()
            self.saved = time.perf_counter()

    def _save(self):
        record = {
            "identity": self.identity,
            "stage": self.stage,
            "history": self.history,
            "seconds": self.seconds + time.perf_counter() - self.started,
        }
        arrays = {
            f"state_{i}": keras.ops.convert_to_numpy(variable)
            for i, variable in enumerate(state_of(self.model))
        }
        if self.stopping:
            record["stopping"] = self.stopping.state()
            best = enumerate(self.stopping.best_weights)
            arrays |= {f"best_{i}": x for i, x in best}
        with whole(self.path) as beside:
            np.savez(beside, record=json.dumps(record), **arrays)


def state_of(model: keras.Model) -> list:
    """Weights, seeds of the random layers and the optimizer; no metrics."""
    metrics = {id(v) for v in model.metrics_variables}
    own = [v for v in model.variables if id(v) not in metrics]
    return own + list(model.optimizer.variables)
