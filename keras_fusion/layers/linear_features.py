import keras
from keras import ops

from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class LinearFeatures(Layer):
    """Vectors and columns of tables side by side, as a linear model takes them.

    Numbers stay as they are. A category becomes zeros and a one at its code. All that
    stands for an absent modality is zero, whatever it holds.

    Call: `layer([x_1, ..., x_K], modality_mask=None)`

    Shapes: K tensors `(B, D_k)` and `modality_mask` `(B, M)` bool (True = present, None
    = all) to `(B, F)` float32.

    Args:
        indices: For each input its column of the mask.
        columns: For each input None, or the columns of a table as `ColumnEmbedding`
            takes them.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> layer = LinearFeatures([0], [[{"codes": 3}, {"width": 1}]])
    >>> [float(x) for x in layer([keras.ops.array([[2.0, 0.5]])])[0]]
    [0.5, 0.0, 0.0, 1.0]
    """

    def __init__(self, indices: list[int], columns: list, **kwargs):
        # codes beyond 256 are no numbers of half precision
        super().__init__(**{"autocast": False} | kwargs)
        self.indices = indices
        self.columns = columns
        self.places = [_places(table) for table in columns]

    def call(self, inputs, modality_mask=None):
        parts = []
        for x, m, (numbers, codes) in zip(inputs, self.indices, self.places):
            x = ops.cast(x, "float32")
            found = [x] if numbers is None else []
            if numbers:
                found.append(ops.take(x, numbers, axis=1))
            for place, count in codes:
                code = ops.cast(x[:, place], "int32")
                found.append(ops.one_hot(ops.clip(code, 0, count - 1), count))
            there = None
            if modality_mask is not None:
                there = ops.cast(modality_mask, "bool")[:, m : m + 1]
            parts += [select(part, there) for part in found]
        return ops.concatenate(parts, axis=-1)  # (B, F)

    def compute_output_spec(self, inputs, modality_mask=None):
        width = sum(
            x.shape[-1] if numbers is None else len(numbers) + sum(k for _, k in codes)
            for x, (numbers, codes) in zip(inputs, self.places)
        )
        return keras.KerasTensor((inputs[0].shape[0], width), dtype="float32")


def _places(columns):
    """Where the numbers of a table stand, and `(place, count)` of its categories."""
    if columns is None:
        return None, []
    first, numbers, codes = 0, [], []
    for column in columns:
        ((kind, size),) = column.items()
        width = {"codes": 1, "edges": 2}.get(kind, size)
        if kind == "codes":
            codes.append((first, size))
        else:
            numbers += range(first, first + width)
        first += width
    return numbers, codes
