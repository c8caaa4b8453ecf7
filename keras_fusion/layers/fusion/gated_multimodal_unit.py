import keras
from keras import ops

from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import precise, select, weighted_sum


@keras.saving.register_keras_serializable("keras_fusion")
class GatedMultimodalUnit(Fusion):
    """Gates computed from all modalities, feature by feature.

    `h_m = tanh(x_m W_m + b_m)`, `z_m = sigmoid([x_1 | ... | x_M] V_m + c_m)`,
    `y = sum_m z_m * h_m`; for two modalities the gates are tied as in the paper,
    `y = z * h_1 + (1 - z) * h_2`.

    Shapes: M tensors `(B, ..., D_m)` of any widths to `(B, ..., U)`. Raw weights:
    `(B, ..., U, M)`, the gates. An absent modality stands as zeros in the gates' input
    and is left out of the sum; of two tied gates the one present becomes one. Gates of
    more modalities are not rescaled.

    Args:
        units: Width U of the output; None takes the width of the modalities.
        **kwargs: As for `Fusion`.

    Example:

    >>> image, text = keras.random.normal((2, 17)), keras.random.normal((2, 3))
    >>> tuple(GatedMultimodalUnit(units=8)([image, text]).shape)
    (2, 8)

    Reference: Arevalo, Solorio, Montes-y-Gomez and Gonzalez, 2017, Gated Multimodal
    Units for Information Fusion.
    """

    has_weights = True
    projects = False

    def build(self, input_shape):
        super().build(input_shape)
        units = self.output_width(input_shape)
        self.hidden = [
            self.dense(f"hidden_{m}", units, s, activation="tanh")
            for m, s in enumerate(input_shape)
        ]
        gates = 1 if self.num_modalities == 2 else self.num_modalities
        width = sum(s[-1] for s in input_shape)
        self.gate = self.dense("gate", gates * units, (None, width))

    def fuse(self, inputs, present, query=None, training=None):
        hidden = [dense(x) for dense, x in zip(self.hidden, inputs)]
        gates = self._gates(ops.concatenate(inputs, axis=-1), present)
        return weighted_sum(gates, hidden), gates

    def _gates(self, joined, present):
        gates = ops.sigmoid(precise(self.gate(joined)))  # (B, ..., U * M)
        if self.num_modalities == 2:
            gates = [select(gates, present[1], 1), select(1 - gates, present[0], 1)]
        else:
            gates = ops.split(gates, self.num_modalities, axis=-1)
        return present.select(gates)
