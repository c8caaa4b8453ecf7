"""How good a model stays when an input lies, and no mask says so."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np

from keras_fusion.datasets import Split
from keras_fusion.datasets.lazy_rows import LazyRows
from keras_fusion.experiments.evaluation import full_outputs

NOISES = (0.5, 1.0, 2.0, 4.0)
NOISE = "noise"
CONFLICT, ZEROS = "another sample", "zeros"
WAYS = (*(f"{NOISE} {strength:g}" for strength in NOISES), CONFLICT, ZEROS)
SEVERAL = (f"{NOISE} 2", CONFLICT, ZEROS)  # of more than one modality
_ROWS = 1000  # that a deviation is estimated from


def corrupted_scores(model: keras.Model, split: Split, score: Callable) -> dict:
    """Scores with one modality corrupted, in each of `WAYS`, and with some at random.

    What is absent stays so. The draws are the same for every model.

    * `"noise S"`: Gaussian noise, S deviations of the modality strong, is added; a
      modality of whole numbers, such as the words of a text, has none;
    * `"another sample"`: that of another row stands in its place, one that has it;
    * `"zeros"`: zeros stand in its place, and the mask says that it is there.

    Args:
        model: As for `evaluation.missing_scores`.
        split: Inputs of M modalities and labels.
        score: From labels and outputs, as those in `scores`.

    Returns:
        `{"each": {modality: {way: score}}, "random": {way: {k: score}}}`, k from 1 to
        M - 1 as text: in each row k modalities, of those that can be, are corrupted.
    """
    names = list(split.inputs)
    rng = np.random.default_rng(0)

    def judged(way, hit):
        return score(split.labels, full_outputs(model, corrupted(split, way, hit)))

    alone = [np.tile(own, (len(split.labels), 1)) for own in np.eye(len(names)) > 0]
    each = {
        name: {
            way: judged(way, alone[m])
            for way in WAYS
            if _possible(split.inputs[name], way)
        }
        for m, name in enumerate(names)
    }
    order = rng.random(split.modality_mask.shape).argsort(axis=-1).argsort(axis=-1)
    several = {
        way: {str(k): judged(way, order < k) for k in range(1, len(names))}
        for way in SEVERAL
    }
    return {"each": each, "random": several}


def corrupted(split: Split, way: str, hit: np.ndarray) -> Split:
    """The rows with some of their inputs corrupted.

    Args:
        split: Inputs of M modalities and labels.
        way: Of `WAYS`, or `"noise S"` with any number S.
        hit: `(B, M)` bool, what is corrupted if it is there.
    """
    hit = hit & split.modality_mask
    inputs = {
        name: _Corrupted(x, way, hit[:, m], split.modality_mask[:, m], m)
        if hit[:, m].any() and _possible(x, way)
        else x
        for m, (name, x) in enumerate(split.inputs.items())
    }
    return replace(split, inputs=inputs)


def _possible(x, way):
    return not way.startswith(NOISE) or np.dtype(x.dtype).kind == "f"


class _Corrupted(LazyRows):
    """Rows that are corrupted as they are asked for, each alike at every time."""

    def __init__(self, x, way, hit, there, seed):
        super().__init__(x.shape, x.dtype)
        self._x, self._hit, self._seed = x, hit, seed
        self._make = self._zeros
        if way == CONFLICT:
            self._others = _others(there, seed)
            self._make = self._conflict
        elif way != ZEROS:
            some = np.asarray(x[np.flatnonzero(there)[:_ROWS]], np.float64)
            self._strength = float(way.removeprefix(NOISE)) * np.nanstd(some)
            self._make = self._noisy

    def make(self, rows):
        found, hit = np.array(self._x[rows]), self._hit[rows]
        found[hit] = self._make(np.arange(len(self))[rows][hit], found[hit])
        return found

    def _zeros(self, rows, found):
        return np.zeros_like(found)

    def _conflict(self, rows, found):
        return self._x[self._others[rows]]

    def _noisy(self, rows, found):
        draws = [
            np.random.default_rng([self._seed, row]).standard_normal(self.shape[1:])
            for row in rows
        ]
        return found + self._strength * np.reshape(draws, found.shape)


def _others(there, seed):
    """For each row the number of another one that has the modality, `(B,)`."""
    own = np.arange(len(there))
    rows = np.random.default_rng([seed, len(there)]).permutation(own[there])
    others = own.copy()
    others[rows] = np.roll(rows, 1)  # none gets its own where there are two
    return others
