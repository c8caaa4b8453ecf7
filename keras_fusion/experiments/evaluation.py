"""How good a model is, and how good it stays when modalities are missing."""

import dataclasses
import math
import statistics
from collections.abc import Callable

import keras
import numpy as np
from scipy import special

from keras_fusion.attribution.masked_outputs import masked_outputs
from keras_fusion.common.names import MASK
from keras_fusion.datasets import Split
from keras_fusion.experiments.batches import InOrder, model_inputs
from keras_fusion.experiments.results import Interval
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


def paired_interval(first, second) -> Interval:
    """Mean difference of two methods over the same seeds, by Student's t.

    Args:
        first, second: Scores by seed, in the same order.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean = statistics.fmean(differences)
    if len(differences) < 2:
        return Interval(difference=mean)
    quantile = special.stdtrit(len(differences) - 1, 0.975)  # of Student's t
    half = quantile * statistics.stdev(differences) / math.sqrt(len(differences))
    return Interval(difference=mean, low=float(mean - half), high=float(mean + half))


def _outputs(model, split, masks):
    """The outputs under each of the `(B, M)` masks."""
    if not isinstance(model, keras.Model):
        for mask in masks:
            yield model(dataclasses.replace(split, modality_mask=mask))
        return
    columns = [m for m, name in enumerate(split.inputs) if name in model.input]
    taken = {name: x for name, x in split.inputs.items() if name in model.input}
    yield from masked_outputs(model, taken, [mask[:, columns] for mask in masks])


def _keep_all_but(k, shape, rng):
    """`(B, M)` bool with k columns False in every row, drawn row by row."""
    return rng.random(shape).argsort(axis=-1).argsort(axis=-1) >= k
