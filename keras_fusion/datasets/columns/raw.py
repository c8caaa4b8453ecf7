"""Raw columns in, a model's inputs out, in TensorFlow: for a SavedModel."""

import numpy as np

from keras_fusion.common.names import MASK, safe_names
from keras_fusion.datasets.columns import number
from keras_fusion.datasets.columns.kinds import KINDS
from keras_fusion.datasets.columns.values import as_numbers, as_text


def inputs(preprocessor) -> dict[str, tuple[str, str, tuple[int, ...]]]:
    """By the name of a graph's input: the column, its dtype and the shape of a row.

    A missing value is NaN in numbers and an empty string elsewhere.
    """
    columns = preprocessor.columns
    names = safe_names(column.name for column in columns)
    return {names[c.name]: (c.name, KINDS[c.kind].RAW, _shape(c)) for c in columns}


def values(preprocessor, table, folder=None) -> dict[str, np.ndarray]:
    """Rows of a table as a graph takes them, `(N, ...)` by the names of its inputs.

    Args:
        table: By column `(N,)` values of any type, files by their paths.
        folder: To which those are relative.
    """
    names = safe_names(column.name for column in preprocessor.columns)
    rows = preprocessor.values(table, folder)
    return {names[c.name]: _raw(c, rows[c.name]) for c in preprocessor.columns}


def graph(preprocessor):
    """A function from tensors `(B,)` by input name to a model's inputs.

    Returns:
        The function, which gives the arrays by modality and `modality_mask` `(B, M)`;
        its attribute `resources` lists what a SavedModel must keep.
    """
    import tensorflow as tf

    names = {column: name for name, (column, _, _) in inputs(preprocessor).items()}
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


def _shape(column):
    kind = KINDS[column.kind]
    return kind.raw_shape(column.state) if hasattr(kind, "raw_shape") else ()


def _raw(column, values):
    kind = KINDS[column.kind]
    if hasattr(kind, "raw"):
        return kind.raw(values, column.state)
    return as_numbers(values) if kind.RAW == number.RAW else as_text(values)
