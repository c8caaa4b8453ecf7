import keras
from keras import ops

from keras_fusion.layers.arguments import require_amount, require_choice
from keras_fusion.layers.base import fresh
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import precise, select

TINY = 1e-12  # the least square of a length, so that its root has a gradient


@keras.saving.register_keras_serializable("keras_fusion")
class FeatureModulation(Fusion):
    """The first modality, scaled and shifted by the others.

    * `form="film"`: `y = (1 + sum_m s_m) * x_1 + sum_m t_m`, `[s_m | t_m] = x_m W_m +
      b_m`, m from 2 to M;
    * `form="mag"`: `y = x_1 + min(1, max_shift |x_1| / |h|) h`, `h = sum_m g_m *
      (x_m W_m + b_m)`, `g_m = relu([x_1 | x_m] V_m + c_m)`: a shift no longer than the
      modality itself. The paper writes one bias outside of the gates; its code has one
      in each, as here. It normalizes layers behind it, which is left to what follows.

    W begins at zero, so both begin as the first modality alone: another modality can
    be added to a model that is trained already.

    Shapes: M tensors `(B, ..., D_m)` of any widths to `(B, ..., U)`. An absent modality
    neither scales nor shifts; where the first is absent, it is zeros, and its shift is
    not limited.

    Args:
        units: Width U of the output; None takes the width of the first modality, which
            is projected where it has another.
        form: See above.
        max_shift: Of `"mag"`: the largest length of the shift, in lengths of `x_1`.
        modulation_initializer: Of the kernels W.
        **kwargs: As for `Fusion`.

    Example:

    >>> image, question = keras.ops.ones((2, 8)), keras.random.normal((2, 3))
    >>> fused = FeatureModulation()([image, question])
    >>> tuple(fused.shape), bool(keras.ops.all(fused == image))
    ((2, 8), True)

    References: Perez et al., 2018, FiLM: Visual Reasoning with a General Conditioning
    Layer. Rahman et al., 2020, Integrating Multimodal Information in Large Pretrained
    Transformers (MAG).
    """

    projects = False
    searched = False
    choices = {"form": ("film", "mag")}

    def __init__(
        self,
        units: int | None = None,
        form: str = "film",
        max_shift: float = 1.0,
        modulation_initializer: str | keras.Initializer = "zeros",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.form = require_choice(self, "form", form, ("film", "mag"))
        self.max_shift = require_amount(self, "max_shift", max_shift)
        self.modulation_initializer = modulation_initializer

    def build(self, input_shape):
        super().build(input_shape)
        first, *others = input_shape
        width = self.output_width(input_shape)
        self.projection = None
        if first[-1] != width:
            self.projection = self.dense("projection", width, first)
        parts = 2 if self.form == "film" else 1
        self.modulations = [
            self.dense(
                f"modulation_{m}",
                parts * width,
                shape,
                kernel_initializer=fresh(self.modulation_initializer),
            )
            for m, shape in enumerate(others, start=1)
        ]
        self.gates = []
        if self.form == "mag":
            self.gates = [
                self.dense(f"gate_{m}", width, (None, width + s[-1]), activation="relu")
                for m, s in enumerate(others, start=1)
            ]

    def fuse(self, inputs, present, query=None, training=None):
        x, *others = inputs
        if self.projection:
            x = select(self.projection(x), present[0])
        if not others:
            return x, None
        changes = [modulate(o) for modulate, o in zip(self.modulations, others)]
        if self.form == "film":
            changes = sum(self._of_others(changes, present))
            scale, shift = ops.split(changes, 2, axis=-1)
            return x + scale * x + shift, None
        gates = [
            gate(ops.concatenate([x, o], axis=-1))
            for gate, o in zip(self.gates, others)
        ]
        # In float32, since the products are larger than what the limit leaves of them.
        gated = [precise(g) * precise(change) for g, change in zip(gates, changes)]
        shift = sum(self._of_others(gated, present))
        limit = select(self._limit(x, shift), present[0], 1)
        return x + self.as_numbers(limit * shift), None

    def check_widths(self, widths):
        pass  # any widths modulate

    def _of_others(self, changes, present):
        return present.pick(range(1, self.num_modalities)).select(changes)

    def _limit(self, x, shift):
        """`min(1, max_shift |x| / |shift|)`, `(B, ..., 1)` in float32."""
        first, second = (
            ops.sum(ops.square(precise(v)), axis=-1, keepdims=True) for v in (x, shift)
        )
        square = self.max_shift**2 * first / ops.maximum(second, TINY)
        return ops.sqrt(ops.clip(square, TINY, 1.0))
