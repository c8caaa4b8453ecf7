"""What a model answers to a row with some of its modalities switched off."""

import threading
from itertools import cycle
from pathlib import Path

import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.escaping import printable
from keras_fusion.common.names import EACH_LABEL, MASK, MODALITY_WEIGHTS, RISK
from keras_fusion.experiments import prediction
from keras_fusion.experiments.contributions import of_rows
from keras_fusion.playground.rows import Rows
from keras_fusion.playground.shown import COLORS, class_map

_TINY = 1e-12


class Judge:
    """A trained model and the rows that it is asked about.

    Args:
        model: A `.keras` file that `train` wrote, or an export of one.
        rows: For this model.

    Attributes:
        rows: As given.
        modalities: In the order of the model's weights.

    Raises:
        ValueError: If there is no such model.
    """

    def __init__(self, model: Path, rows: Rows):
        self.modalities = prediction.modalities(model)
        order = [list(rows.inputs).index(name) for name in self.modalities]
        self.rows, self._present = rows, rows.present[:, order]
        self._inputs = {name: rows.inputs[name] for name in self.modalities}
        self._predict = prediction.Predictor(model)
        self._one_at_a_time = threading.Lock()
        outputs = self._outputs(0, self._present[:1])
        names = None if RISK in outputs else prediction.class_names(model, outputs)
        names = names or map(str, range(_scores(outputs).shape[-1]))
        self._classes = list(map(printable, names))

    def present(self, row: int) -> list[bool]:
        """Whether each modality is there in a row, in the order of `modalities`."""
        return self._present[row].tolist()

    def answer(self, row: int, off: set[int]) -> dict:
        """The prediction for a row without the modalities with these numbers.

        Returns:
            dict of JSON: `probabilities` by class with the `uncertainty` of their
            distribution from 0 to 1 and the class that is `named`, or one `number`, or
            a `map` of the likeliest classes with their `colors`; the `weights` of the
            modalities, None where the model has none.
        """
        outputs = self._outputs(row, self._on(row, off)[None])
        weights = outputs.get(MODALITY_WEIGHTS)
        found = {"weights": None if weights is None else _plain(weights[0])}
        scores = _scores(outputs)[0]
        if scores.ndim > 1:
            names = self._classes if scores.shape[-1] > 1 else []
            colors = dict(zip(names, cycle(COLORS)))
            picture = {"map": class_map(scores), "colors": colors}
            return found | picture | {"uncertainty": _plain([uncertainty(scores)])[0]}
        if "predictions" in outputs or RISK in outputs:
            return found | {"number": _plain(scores)[0]}
        found["probabilities"] = [
            {"name": name, "value": value}
            for name, value in zip(self._classes, _plain(scores))
        ]
        several = EACH_LABEL in outputs
        if not several and np.isfinite(scores).all():
            found["named"] = self._classes[prediction.named_numbers(outputs)[0]]
        return found | {"uncertainty": _plain([uncertainty(scores, several)])[0]}

    def contributions(self, row: int, off: set[int]) -> dict | None:
        """The Shapley value of each modality in that prediction.

        Returns:
            dict of JSON: `of`, the class that is named, None for a number; `values` of
            the modalities in its probability, or in the number; the `base`, to which
            they add up to it. None of a map, which is many numbers.
        """
        inputs = self._row(row) | {MASK: self._on(row, off)[None]}
        if _scores(self._outputs(row, self._present[row][None])).ndim > 2:
            return None
        found = of_rows(self._answers, inputs)
        return {
            "of": self._classes[found.best[0]] if len(self._classes) > 1 else None,
            "values": _plain(found.values[0]),
            "base": _plain(found.base)[0],
        }

    def _on(self, row, off):
        on = self._present[row].copy()
        on[list(off)] = False
        return on

    def _row(self, row):
        return {name: x[row : row + 1] for name, x in self._inputs.items()}

    def _outputs(self, row, present):
        return self._answers(self._row(row) | {MASK: present})

    def _answers(self, inputs):
        with self._one_at_a_time:
            return self._predict(inputs)


def uncertainty(probabilities: np.ndarray, several: bool = False) -> float:
    """The entropy of an answer as a share of the largest, 0 certain to 1 ignorant.

    Args:
        probabilities: `(K,)`, of classes, or `(H, W, K)`, of which it is the mean.
        several: Whether they are of labels of which several may hold: the mean of the
            entropies of each.
    """
    p = np.moveaxis(np.asarray(probabilities, np.float64), -1, 0)
    if several or len(p) == 1:
        p = np.stack([p, 1 - p])  # (2, K, ...)
    entropy = -(p * np.log(np.maximum(p, _TINY))).sum(axis=0)
    return float(np.mean(entropy / np.log(len(p))))


def _scores(outputs):
    for name in ("probabilities", EACH_LABEL, "predictions", RISK):
        if name in outputs:
            return np.asarray(outputs[name])
    raise InputError(f"Expected probabilities or predictions; received {[*outputs]}.")


def _plain(x):
    return [float(n) if np.isfinite(n) else None for n in x]
