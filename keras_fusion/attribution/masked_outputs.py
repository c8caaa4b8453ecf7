"""What a model answers where some of its modalities are taken away."""

import math
from collections.abc import Callable

import keras
import numpy as np

from keras_fusion.common.batching import prediction_batch
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import EDGE_INDEX, EDGES, MASK
from keras_fusion.zoo.parts.inputs import check_inputs


def masked_outputs(
    model: keras.Model | Callable, inputs: dict, masks, output: str | None = None
) -> np.ndarray:
    """The outputs of B rows under each of C masks: `(C, B, ...)`.

    Args:
        model: Takes `modality_mask`; or a function from a dict of arrays with a
            `modality_mask` to outputs.
        inputs: `(B, ...)` arrays by modality, or the inputs of a model of graphs.
        masks: `(C, B, M)` bool, True = present.
        output: Name of the output, where the model gives several.

    Raises:
        ValueError: If the model takes no `modality_mask`, an input is missing or
            unknown, or there is no such output.
    """
    masks = np.asarray(masks)
    count, rows = masks.shape[:2]
    if isinstance(model, keras.Model):
        _require_mask(model)
        check_inputs(model, inputs | {MASK: masks[0]})
    if EDGE_INDEX in inputs:  # a graph is one batch
        asked = (model(inputs | {MASK: mask}) for mask in masks)
        return np.stack([_chosen(_arrays(x), output) for x in asked])
    batches = _Masked(inputs, masks)
    if isinstance(model, keras.Model):
        found = _chosen(model.predict(batches, verbose=0), output)
    else:
        parts = [_chosen(model(batches[i][0]), output) for i in range(len(batches))]
        found = np.concatenate(parts)
    return np.moveaxis(found.reshape(rows, count, *found.shape[1:]), 1, 0)


def modalities_of(model: keras.Model | Callable, inputs: dict) -> tuple[str, ...]:
    """The modalities in the order of the mask's columns.

    Raises:
        ValueError: If the model takes no `modality_mask`.
    """
    names = inputs
    if isinstance(model, keras.Model):
        _require_mask(model)
        names = model.input
    return tuple(name for name in names if name != MASK and name not in EDGES)


def _require_mask(model):
    if not isinstance(model.input, dict) or MASK not in model.input:
        raise InputError(
            f"{model.name} takes no `{MASK}`, so it has no answer without a modality: "
            f"build it with {MASK}=True, which takes the same weights."
        )


def _arrays(outputs):
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def _chosen(outputs, output):
    if not isinstance(outputs, dict):
        return np.asarray(outputs)
    if output is None and len(outputs) == 1:
        (output,) = outputs
    if output not in outputs:
        raise InputError(
            f"Expected `output` to be one of {list(outputs)}; received {output!r}."
        )
    return np.asarray(outputs[output])


class _Masked(keras.utils.PyDataset):
    """Every row under each of the masks, so that one call asks them all.

    A row in a file is read once in a batch.
    """

    def __init__(self, inputs, masks):
        super().__init__()
        self.inputs = {name: x for name, x in inputs.items() if name != MASK}
        self.masks = masks
        self.count = masks.shape[0] * masks.shape[1]
        self.batch_size = prediction_batch(self.inputs)

    def __len__(self):
        return math.ceil(self.count / self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        pairs = np.arange(start, min(self.count, start + self.batch_size))
        row, which = np.divmod(pairs, len(self.masks))
        first, last = row[0], row[-1] + 1  # read once, then repeated
        batch = {name: x[first:last][row - first] for name, x in self.inputs.items()}
        return (batch | {MASK: self.masks[which, row]},)
