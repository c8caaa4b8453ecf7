"""How good a model is, and how good it stays when modalities are missing."""

import dataclasses
import math
import statistics
from collections.abc import Callable

import keras
import numpy as np
from scipy import special

from keras_fusion.datasets import Split
from keras_fusion.experiments.batches import InOrder, model_inputs, prediction_batch
from keras_fusion.names import MASK
from keras_fusion.zoo.modality_weights import modality_weights, symbolic_weights


def full_outputs(model: keras.Model, split: Split) -> np.ndarray:
    """Outputs with every modality that the data has, for a `model` as below."""
    return next(_outputs(model, split, [split.modality_mask]))


def missing_scores(
    model: keras.Model, split: Split, score: Callable, draws: int = 5
) -> dict:
    """Scores with everything there, with each modality missing, and with k missing.

    Args:
        model: Takes the modalities it wants out of `split.inputs`, and
            `modality_mask` `(B, M')` for just those; or a function of a `Split`.
        split: Inputs of M modalities and labels.
        score: From labels and outputs, as those in `scores`.
        draws: Times that every row loses k modalities at random, the same ones for
            every model.

    Returns:
        `{"all": score, "missing": {modality: score}, "missing_random": {k: score}}`,
        k from 1 to M - 1 as text.
    """
    names = list(split.inputs)
    present = split.modality_mask  # (B, M)
    masks = [present]
    masks += [present & (np.arange(len(names)) != m) for m in range(len(names))]
    counts = [k for k in range(1, len(names)) for _ in range(draws)]
    rng = np.random.default_rng(0)
    masks += [present & _keep_all_but(k, present.shape, rng) for k in counts]
    scores = [score(split.labels, y) for y in _outputs(model, split, masks)]
    random = scores[1 + len(names) :]
    return {
        "all": scores[0],
        "missing": dict(zip(names, scores[1:])),
        "missing_random": {
            str(k): statistics.fmean(random[(k - 1) * draws :][:draws])
            for k in range(1, len(names))
        },
    }


def class_weights(model: keras.Model, split: Split, class_names) -> dict:
    """How much each modality weighed, by the class that a row really has.

    Args:
        model: As for `missing_scores`.
        split: Rows of M modalities with one label each.
        class_names: By class number.

    Returns:
        `{class: {modality: mean share}}` for the classes that there are; empty where
        the model has no weights or the rows no class.
    """
    if split.labels.ndim > 1 or not class_names or symbolic_weights(model) is None:
        return {}
    inputs = model_inputs(model, split.inputs, split.modality_mask)
    rows = InOrder(inputs)
    parts = [modality_weights(model, rows[i][0]) for i in range(len(rows))]
    shares = np.concatenate(parts)  # (B, M)
    modalities = [name for name in inputs if name != MASK]
    return {
        class_names[k]: dict(
            zip(modalities, shares[split.labels == k].mean(0).tolist())
        )
        for k in np.unique(split.labels)
    }


def paired_interval(first, second) -> dict:
    """Mean difference of two methods over the same seeds, with its 95 % interval.

    Args:
        first, second: Scores by seed, in the same order.

    Returns:
        `{"difference": mean of first - second, "low": ..., "high": ...}` by Student's
        t; with one seed the bounds are None.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean = statistics.fmean(differences)
    if len(differences) < 2:
        return {"difference": mean, "low": None, "high": None}
    quantile = special.stdtrit(len(differences) - 1, 0.975)  # of Student's t
    half = quantile * statistics.stdev(differences) / math.sqrt(len(differences))
    return {"difference": mean, "low": float(mean - half), "high": float(mean + half)}


def _outputs(model, split, masks):
    """The outputs under each of the `(B, M)` masks."""
    if not isinstance(model, keras.Model):
        for mask in masks:
            yield model(dataclasses.replace(split, modality_mask=mask))
        return
    columns = [m for m, name in enumerate(split.inputs) if name in model.input]
    batches = _Masked(split.inputs, [mask[:, columns] for mask in masks], model)
    outputs = np.split(model.predict(batches, verbose=0), batches.ends())
    for which in range(len(masks)):
        yield np.concatenate(outputs[which :: len(masks)])


def _keep_all_but(k, shape, rng):
    """`(B, M)` bool with k columns False in every row, drawn row by row."""
    return rng.random(shape).argsort(axis=-1).argsort(axis=-1) >= k


class _Masked(keras.utils.PyDataset):
    """A batch under each of the masks, then the next, so that one call predicts all.

    Rows in files are read once for all masks.
    """

    def __init__(self, inputs, masks, model):
        super().__init__()
        self.inputs = {name: x for name, x in inputs.items() if name in model.input}
        self.masks = masks
        self.rows = len(masks[0])
        self.batch_size = prediction_batch(self.inputs)
        self._read = None, {}

    def __len__(self):
        return len(self.masks) * math.ceil(self.rows / self.batch_size)

    def __getitem__(self, index):
        part, which = divmod(index, len(self.masks))
        rows = slice(part * self.batch_size, (part + 1) * self.batch_size)
        if self._read[0] != part:
            self._read = part, {name: x[rows] for name, x in self.inputs.items()}
        return (self._read[1] | {MASK: self.masks[which][rows]},)

    def ends(self):
        """Where the outputs of each batch end, but the last."""
        parts = len(self) // len(self.masks)
        sizes = [self.batch_size] * (parts - 1)
        sizes.append(self.rows - sum(sizes))
        return np.cumsum(np.repeat(sizes, len(self.masks)))[:-1]
