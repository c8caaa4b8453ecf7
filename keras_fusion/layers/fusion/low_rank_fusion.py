import functools
import math
from collections.abc import Callable

import keras
from keras import ops

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import precise


@keras.saving.register_keras_serializable("keras_fusion")
class LowRankFusion(Fusion):
    """Multilinear pooling: products between the modalities, by factors of low rank.

    `y = n(sum_r prod_m a(x_m V_m^r + c_m^r)) + b`, r from 1 to the rank R, `a` the
    activation and `n` the normalization; with `intermediate_dim` the sum has so many
    features, and a last linear map follows: `y = n(...) P + b`. Every feature of `y` is
    a polynomial with a product of features of all modalities, as in `TensorFusion`,
    which it equals at full rank. Published forms are settings of this formula:

    * LMF: `rank=4`; the weights of the ranks are part of the factors here.
    * MLB: `rank=1, activation="tanh", intermediate_dim=d`.
    * MFB: `rank=k, use_bias=False, normalize=True`.
    * MUTAN: `rank=R, use_bias=False`, on modalities that end in a layer with tanh. The
      code that its authors released with BLOCK has no tanh: `rank=R,
      intermediate_dim=d`.

    The biases `c` begin at one, so that `y` begins with what each modality says by
    itself beside the products; with zeros there would be nothing but a product of all.

    Shapes: M >= 2 tensors `(B, ..., D_m)` of any widths to `(B, ..., U)`. An absent
    modality is left out of the product.

    Args:
        units: Width U of the output; None takes the width of the modalities.
        rank: Number of ranks R that are summed.
        intermediate_dim: Width of the products before a last linear map; None takes U
            and no map.
        activation: Of the factors.
        normalize: Whether `n` takes signed square roots and then the unit length, or
            is nothing.
        **kwargs: As for `Fusion`.

    Raises:
        ValueError: Also where the factors are linear and R is more than the rank that
            any multilinear map of these widths has.

    Example:

    >>> text, audio = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> tuple(LowRankFusion(units=8)([text, audio]).shape)
    (2, 8)

    References: Liu et al., 2018, Efficient Low-rank Multimodal Fusion with
    Modality-Specific Factors (LMF). Kim et al., 2017, Hadamard Product for Low-rank
    Bilinear Pooling (MLB). Yu et al., 2017, Multi-modal Factorized Bilinear Pooling
    (MFB). Ben-younes et al., 2017, MUTAN: Multimodal Tucker Fusion for VQA.
    """

    min_modalities = 2
    projects = False
    searched = False
    choices = {"rank": (1, 2, 4)}

    def __init__(
        self,
        units: int | None = None,
        rank: int = 4,
        intermediate_dim: int | None = None,
        activation: str | Callable | None = None,
        normalize: bool = False,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.rank = require_positive(self, "rank", rank)
        self.intermediate_dim = require_positive(
            self, "intermediate_dim", intermediate_dim, optional=True
        )
        self.activation = activation
        self.normalize = normalize

    def build(self, input_shape):
        super().build(input_shape)
        self._check_rank()
        units = self.output_width(input_shape)
        width = self.intermediate_dim or units
        factors = {"activation": self.activation, "bias_initializer": "ones"}
        self.factors = [
            self.dense(f"factors_{m}", self.rank * width, s, **factors)
            for m, s in enumerate(input_shape)
        ]
        self.output_dense = self.bias = None
        if self.intermediate_dim:
            self.output_dense = self.dense("output", units, (None, width))
        elif self.use_bias:
            self.bias = self.add_weight(
                shape=(units,), initializer="zeros", name="bias"
            )

    def fuse(self, inputs, present, query=None, training=None):
        factors = [precise(dense(x)) for dense, x in zip(self.factors, inputs)]
        product = functools.reduce(ops.multiply, present.select(factors, 1))
        fused = sum(ops.split(product, self.rank, axis=-1))
        if self.normalize:
            fused = _power_normalized(fused)
        fused = self.as_numbers(fused)
        if self.output_dense:
            return self.output_dense(fused), None
        return fused if self.bias is None else fused + self.bias, None

    def check_widths(self, widths):
        if self.units is None:
            super().check_widths(widths)

    def _check_rank(self):
        sizes = [width + self.use_bias for width in self.widths]
        most = math.prod(sizes) // max(sizes)
        linear = keras.activations.get(self.activation) is keras.activations.linear
        if linear and self.rank > most:
            raise ValueError(
                f"{self.name} expects a rank of at most {most}, which is all that a "
                f"map of the widths {self.widths} can have; received rank={self.rank}."
            )


def _power_normalized(x):
    """Signed square roots of unit length; finite gradients at zero."""
    x = x * ops.rsqrt(ops.abs(x) + 1e-12)
    return x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-12)
