import keras
from keras import ops

ANSWER, PRESENT = "answer", "present"


@keras.saving.register_keras_serializable("keras_fusion")
class TokenPresence(keras.layers.Layer):
    """The mask of what is present, without the modalities that have no token.

    It is one layer with and without a mask, so that a model has the same order of
    layers, and with it the same weights file, either way.

    Call: `layer(there, modality_mask=None)`

    Shapes: a list of tensors `(B,)` bool, whether a modality has a token, and
    `modality_mask` `(B, M)` bool (None = all are present) to `(B, M)` bool.

    Args:
        columns: To which modality each of the tensors belongs.
        count: Number of modalities M.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> there = [keras.ops.convert_to_tensor([True, False])]
    >>> mask = TokenPresence([1], count=3)(there)
    >>> [bool(x) for x in mask[1]]
    [True, False, True]
    """

    def __init__(self, columns: list[int], count: int, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns
        self.count = count

    def call(self, there, modality_mask=None):
        known = dict(zip(self.columns, there))
        full = ops.ones_like(there[0])
        mask = ops.stack([known.get(m, full) for m in range(self.count)], axis=-1)
        if modality_mask is None:
            return mask
        return ops.logical_and(mask, ops.cast(modality_mask, "bool"))

    def get_config(self):
        return super().get_config() | {"columns": self.columns, "count": self.count}


def with_presence(model: keras.Model) -> keras.Model:
    """The model with a dict of outputs: its `ANSWER`, and where it knows `PRESENT`.

    That is `(B,)` bool, whether its modality has a token at all.
    """
    found = [x.output for x in model.layers if isinstance(x, TokenPresence)]
    present = {PRESENT: ops.any(found[0], axis=-1)} if found else {}
    return keras.Model(model.input, {ANSWER: model.output} | present, name=model.name)
