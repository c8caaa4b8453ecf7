import keras
from keras import ops

from keras_fusion.layers.base import Layer
from keras_fusion.ops.presence import select


@keras.saving.register_keras_serializable("keras_fusion")
class BagOfWords(Layer):
    """What each word of a text counts for a linear model, whatever their order.

    A word counts by how rare it is, over the root of the sum of squares in its text, so
    that a long text says no more than a short one. A word that is there twice counts
    twice. Padding, which is code 0, codes from `count` on, and what stands for an
    absent text count nothing.

    Every word is as rare as any other until the weights `rarity` `(count,)` are set, as
    `zoo.blend_linear` does from the texts of the rows that train.

    Call: `layer(codes, modality_mask=None)`

    Shapes: `(B, T)` integers and `modality_mask` `(B, M)` bool (True = present, None =
    all) to `(B, T)` float32.

    Args:
        count: How many codes there are, those of padding and unseen words included.
        index: Column of the mask.
        **kwargs: For `keras.layers.Layer`.

    Reference: Salton and Buckley, 1988, Term-weighting Approaches in Automatic Text
    Retrieval.

    Example:

    >>> layer = BagOfWords(6, index=0)
    >>> [float(x) for x in layer(keras.ops.array([[5, 2, 5, 3, 7, 0]]))[0]]
    [0.5, 0.5, 0.5, 0.5, 0.0, 0.0]
    """

    def __init__(self, count: int, index: int, **kwargs):
        super().__init__(**{"autocast": False} | kwargs)
        self.count = count
        self.index = index

    def build(self, codes_shape, modality_mask_shape=None):
        self.rarity = self.add_weight(
            (self.count,), "ones", trainable=False, name="rarity"
        )

    def call(self, codes, modality_mask=None):
        codes = ops.cast(codes, "int32")
        there = ops.logical_and(codes > 0, codes < self.count)
        if modality_mask is not None:
            mask = ops.cast(modality_mask, "bool")[:, self.index : self.index + 1]
            there = ops.logical_and(there, mask)
        known = ops.take(self.rarity, ops.where(there, codes, 0), axis=0)
        found = select(known, there)
        square = ops.sum(ops.square(found), axis=-1, keepdims=True)
        return found / ops.sqrt(ops.maximum(square, 1e-12))

    def compute_output_spec(self, codes, modality_mask=None):
        return keras.KerasTensor(codes.shape, dtype="float32")
