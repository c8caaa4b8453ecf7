import math

import keras
from keras import ops

from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.positions import flatten_positions, restore_positions

LARGEST = 2**21  # features of the outer product


@keras.saving.register_keras_serializable("keras_fusion")
class TensorFusion(Fusion):
    """All products between the modalities, and a linear map of them.

    `y = ([x_1 ; 1] (x) ... (x) [x_M ; 1]) W`, the outer product flattened, the first
    modality slowest. The ones keep the products of fewer modalities, and each modality
    alone, among its features; their own product is the bias.

    Shapes: M tensors `(B, ..., D_m)` of any widths to `(B, ..., U)`. W has
    `prod_m (D_m + 1)` rows, so this is for few and narrow modalities. An absent
    modality is left out of the products.

    Args:
        units: Width U of the output; None takes the width of the modalities.
        **kwargs: As for `Fusion`.

    Raises:
        ValueError: Also where the outer product has more than 2^21 features.

    Example:

    >>> text, audio = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> op = TensorFusion(units=8)
    >>> tuple(op([text, audio]).shape), tuple(op.output_dense.kernel.shape)
    ((2, 8), (72, 8))

    Reference: Zadeh et al., 2017, Tensor Fusion Network for Multimodal Sentiment
    Analysis.
    """

    projects = False
    searched = False

    def build(self, input_shape):
        super().build(input_shape)
        self.output_dense = self.dense(
            "output",
            self.output_width(input_shape),
            (None, _size(self.widths) - (not self.use_bias)),
            use_bias=False,
        )

    def fuse(self, inputs, present, query=None, training=None):
        product = None
        for x in map(flatten_positions, inputs):
            x = ops.concatenate([x, ops.ones_like(x[:, :1])], axis=-1)  # (B, D + 1)
            if product is None:
                product = x
                continue
            width = product.shape[-1] * x.shape[-1]
            product = ops.reshape(product[:, :, None] * x[:, None], (-1, width))
        product = product if self.use_bias else product[:, :-1]
        return restore_positions(self.output_dense(product), inputs[0]), None

    def check_widths(self, widths):
        if self.units is None:
            super().check_widths(widths)
        if _size(widths) > LARGEST:
            raise ValueError(
                f"{self.name} would make {_size(widths):,} products of modalities of "
                f"the widths {widths}, more than {LARGEST:,}: use LowRankFusion, or "
                "make the modalities narrower."
            )


def _size(widths):
    return math.prod(width + 1 for width in widths)
