"""Raw columns in, a model's inputs out, in TensorFlow: for a SavedModel."""

import numpy as np

from keras_fusion.datasets.columns import number
from keras_fusion.datasets.columns.kinds import KINDS
from keras_fusion.datasets.columns.modality import MASK, plain_names
from keras_fusion.datasets.columns.values import as_numbers, as_text


def inputs(preprocessor) -> dict[str, tuple[str, str]]:
    """By the name of a graph's input: the column, and its dtype there.

    A missing value is NaN in a number and an empty string elsewhere.
    """
    columns = preprocessor.columns
    names = plain_names(column.name for column in columns)
    return {n: (c.name, KINDS[c.kind].RAW) for n, c in zip(names, columns)}


def raw_values(values, dtype: str) -> np.ndarray:
    """Values of a column as a graph's input takes them.

    Args:
        values: `(N,)` of any type.
        dtype: Of the input.
    """
    return as_numbers(values) if dtype == number.RAW else as_text(values)


def graph(preprocessor):
    """A function from tensors `(B,)` by input name to a model's inputs.

    Returns:
        The function, which gives the arrays by modality and `modality_mask` `(B, M)`;
        its attribute `resources` lists what a SavedModel must keep.
    """
    import tensorflow as tf

    names = {column: name for name, (column, _) in inputs(preprocessor).items()}
    graphs = {c.name: KINDS[c.kind].graph(c.state) for c in preprocessor.columns}

    def run(tensors):
        found = {name: g(tensors[names[name]]) for name, g in graphs.items()}
        arrays, masks = {}, []
        for modality, columns in preprocessor.modalities.items():
            parts, present = zip(*(found[column.name] for column in columns))
            arrays[modality] = tf.concat(parts, axis=-1) if parts[1:] else parts[0]
            masks.append(tf.reduce_any(tf.stack(present), axis=0))
        return arrays | {MASK: tf.stack(masks, axis=1)}

    every = [getattr(g, "resources", []) for g in graphs.values()]
    run.resources = [resource for resources in every for resource in resources]
    return run
