import keras
from keras import ops

from keras_fusion.layers.arguments import require_mask
from keras_fusion.layers.base import Layer
from keras_fusion.layers.with_mask import WithMask


@keras.saving.register_keras_serializable("keras_fusion")
class LearnedReplacement(Layer):
    """A learned vector for each modality stands where that is absent.

    `y_m = x_m` where the modality is present, else `v_m`, at every position. Whatever
    comes after it meets all modalities as present. A modality of which Keras' mask
    keeps no token is absent, too; the tokens that stand for an absent one are all kept.

    Call: `layer(inputs, modality_mask=None)`

    Shapes: list of M tensors `(B, ..., D_m)` and `modality_mask` `(B, M)` bool (True =
    present, None = all) to the list of M tensors.

    Args:
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> views = [keras.ops.zeros((1, 3)), keras.ops.zeros((1, 2))]
    >>> there = keras.ops.convert_to_tensor([[True, False]])
    >>> a, b = LearnedReplacement()(views, modality_mask=there)
    >>> bool(keras.ops.any(a)), bool(keras.ops.all(b))
    (False, True)

    Reference: Devlin, Chang, Lee and Toutanova, 2019, BERT, whose learned vector stands
    where a word is masked.
    """

    def build(self, inputs_shape):
        self.vectors = [
            self.add_weight(
                shape=shape[-1:], initializer="random_normal", name=f"vector_{m}"
            )
            for m, shape in enumerate(inputs_shape)
        ]
        self.hand_on = WithMask(name="hand_on", dtype=self.dtype_policy, autocast=False)
        self.hand_on.build([(None,), (None,)])

    def call(self, inputs, modality_mask=None, mask=None, inputs_mask=None):
        require_mask(self, "modality_mask", modality_mask)
        masks = inputs_mask if mask is None else mask
        masks = masks or [None] * len(inputs)
        return [
            self._replaced(m, x, modality_mask, masks[m]) for m, x in enumerate(inputs)
        ]

    def compute_mask(self, inputs, previous_mask=None):
        return None  # `hand_on` has set what there is

    def _replaced(self, m, x, modality_mask, kept):
        first = ops.reshape(x, (ops.shape(x)[0], -1))[:, 0]
        there = ops.ones_like(first, dtype="bool")  # (B,)
        if modality_mask is not None:
            there = ops.logical_and(there, ops.cast(modality_mask[:, m], "bool"))
        if kept is not None:
            there = ops.logical_and(there, ops.any(kept, axis=-1))
        rows = ops.reshape(there, (-1, *[1] * (len(x.shape) - 1)))
        found = ops.where(rows, x, ops.cast(self.vectors[m], x.dtype))
        if kept is None:
            return found
        absent = ops.logical_not(there)[:, None]
        return self.hand_on([found, ops.logical_or(kept, absent)])
