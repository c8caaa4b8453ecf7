import math

import keras
from keras import ops

from keras_fusion.layers.arguments import require_amount, require_mask, require_positive
from keras_fusion.layers.base import Layer
from keras_fusion.ops.alignment import alignment_loss
from keras_fusion.ops.presence import Presence, precise

LARGEST_SCALE = 100.0  # as in CLIP, so that the training stays stable


@keras.saving.register_keras_serializable("keras_fusion")
class ContrastiveAlignment(Layer):
    """Embeddings of all modalities in one space, where what belongs together is near.

    `y_m = x_m W_m / |x_m W_m|`; and the layer adds
    `loss_weight * alignment_loss(y, scale)` to the losses of the model, so that `fit`
    aligns by itself, without labels. The scale, one by the temperature, is learned and
    at most 100. A batch should be large: its other samples are what the right one is
    told apart from.

    Call: `layer([x_1, ..., x_M], modality_mask=None)`

    Shapes: M >= 2 tensors `(B, D_m)` and `modality_mask` `(B, M)` bool (True = present,
    None = all) to M tensors `(B, U)` of unit length, zero where absent.

    Args:
        units: Width U of the common space.
        temperature: Where the learned temperature begins.
        loss_weight: What the loss counts.
        kernel_initializer, kernel_regularizer: Of the kernels W.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> caption, picture = keras.random.normal((8, 12)), keras.random.normal((8, 20))
    >>> layer = ContrastiveAlignment(units=4)
    >>> [tuple(y.shape) for y in layer([caption, picture])], len(layer.losses)
    ([(8, 4), (8, 4)], 1)

    Reference: Radford et al., 2021, Learning Transferable Visual Models From Natural
    Language Supervision.
    """

    use_bias = False

    def __init__(
        self,
        units: int = 64,
        temperature: float = 0.07,
        loss_weight: float = 1.0,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = require_positive(self, "units", units)
        self.temperature = require_amount(self, "temperature", temperature)
        if not temperature >= 1 / LARGEST_SCALE:
            raise ValueError(
                f"{type(self).__name__} expects temperature to be at least "
                f"{1 / LARGEST_SCALE}; received {temperature!r}."
            )
        self.loss_weight = require_amount(self, "loss_weight", loss_weight)
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, inputs_shape, modality_mask_shape=None):
        _check(self, inputs_shape)
        self.projections = [
            self.dense(f"projection_{m}", self.units, shape)
            for m, shape in enumerate(inputs_shape)
        ]
        self.log_scale = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(-math.log(self.temperature)),
            name="log_scale",
        )

    def call(self, inputs, modality_mask=None):
        require_mask(self, "modality_mask", modality_mask)
        present = Presence.of(inputs, modality_mask)
        inputs = present.select([self.as_numbers(x) for x in inputs])
        projected = [dense(x) for dense, x in zip(self.projections, inputs)]
        aligned = present.select([_unit(precise(x)) for x in projected])
        scale = ops.exp(precise(self.log_scale))
        scale = ops.minimum(scale, LARGEST_SCALE)
        loss = alignment_loss(aligned, scale, modality_mask)
        self.add_loss(self.loss_weight * loss)
        return [self.as_numbers(y) for y in aligned]

    def compute_output_shape(self, inputs_shape, modality_mask_shape=None):
        _check(self, inputs_shape)
        return [(shape[0], self.units) for shape in inputs_shape]


def _check(layer, shapes):
    if (
        not isinstance(shapes, (list, tuple))
        or len(shapes) < 2
        or any(not isinstance(s, (list, tuple)) or len(s) != 2 for s in shapes)
    ):
        raise ValueError(
            f"{layer.name} aligns a list of two or more tensors (B, D); received "
            f"shapes {shapes}."
        )


def _unit(x):
    """Of length one; zeros stay zeros, with a finite gradient."""
    return x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-12)
