import keras
from keras import ops

STEPS = (0.618034, 0.754878, 0.819173, 0.856675)  # no two places get one number


@keras.saving.register_keras_serializable("keras_fusion")
class StandIn(keras.layers.Layer):
    """Puts rows that are there in place of those that are not.

    An encoder whose inner workings are unknown sees a stand-in for an absent row, and
    what it makes of it is selected away. The gradient is zero times the encoder's
    derivative, so this has to be finite. Zeros are no safe choice: where the encoder
    masks them it divides 0 by 0. A row of the batch that is there is as safe as the
    batch itself. The first absent row gets the first present one, the second the
    second, and round again: all present rows are taken equally often, up to one. So
    the averages of a batch normalization inside the encoder come out as those of the
    rows that are there.

    Where the batch has no row of the modality the stand-ins are fixed: numbers between
    0.5 and 1.5 that differ from place to place, 1 for whole numbers, True for bool.
    Texts stay as they came.

    Call: `layer(x, modality_mask)`

    Shapes: `x` `(B, ...)` of any dtype and `modality_mask` `(B, M)` bool to `(B, ...)`
    of the dtype of `x`.

    Args:
        index: Column of the mask that belongs to `x`.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> x, mask = keras.ops.arange(2)[:, None], keras.ops.arange(2)[:, None]
    >>> int(StandIn(0)(x, mask)[0, 0])
    1
    """

    def __init__(self, index: int, **kwargs):
        # whole numbers that came as floats would be rounded in half precision
        super().__init__(**{"autocast": False} | kwargs)
        self.index = index

    def call(self, x, modality_mask):
        there = ops.cast(modality_mask, "bool")[:, self.index]  # (B,)
        absent = ops.logical_not(there)
        before = ops.cumsum(ops.cast(absent, "int32")) - 1
        own = ops.cumsum(ops.ones_like(before)) - 1  # 0, 1, ..., B - 1
        order = ops.argsort(ops.where(there, own, own + ops.max(own, initial=0) + 1))
        count = ops.sum(ops.cast(there, "int32"))
        drawn = ops.take(order, before % ops.maximum(count, 1))
        rows = ops.take(x, ops.where(there, own, drawn), axis=0)
        fixed = _fixed(x)
        return rows if fixed is None else ops.where(count > 0, rows, fixed)

    def compute_output_spec(self, x, modality_mask):
        return keras.KerasTensor(x.shape, dtype=x.dtype)

    def get_config(self):
        return super().get_config() | {"index": self.index}


def _fixed(x):
    """A row `(1, ...)` that is harmless for all that we know; None for texts."""
    dtype = keras.backend.standardize_dtype(x.dtype)
    if dtype == "string":
        return None
    ones = ops.ones_like(x[:1])
    if "float" not in dtype:
        return ones
    steps = ops.cast(ones, "float32")
    axes = range(1, len(x.shape))
    places = sum(s * ops.cumsum(steps, axis=a) for s, a in zip(STEPS, axes))
    return ops.cast(0.5 + places % 1, x.dtype)
