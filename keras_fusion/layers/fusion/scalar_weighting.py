import keras
from keras import ops

from keras_fusion.layers.arguments import require_choice
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.presence import softmax, weighted_sum


@keras.saving.register_keras_serializable("keras_fusion")
class ScalarWeighting(Fusion):
    """Learned static weights, `y = sum_m a_m x_m`, the same for every sample.

    `constraint` says what the weights obey, over the present modalities:

    * None: free. An absent modality is left out of the sum, nothing is rescaled.
    * `"affine"`: they sum to one, `a_m = b_m + (1 - sum_k b_k) / |P|` for free `b`;
      for two modalities that is `w x_1 + (1 - w) x_2` with free `w`.
    * `"convex"`: positive and sum to one, `a = softmax(b)`.

    All three start from the mean (`constraint=None` from `a_m = 1/M`).
    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`. Raw weights: `(B, ..., U, M)`,
    the constrained `a`.

    Args:
        units: Common width U, needed where widths differ.
        per: What has a weight of its own: `"modality"`, `"channel"` (every feature of
            every modality) or `"element"` (also every position: then the axes between
            batch and features must have known sizes).
        constraint: None, `"affine"` or `"convex"`.
        **kwargs: As for `Fusion`.

    Example:

    >>> a, b = keras.ops.ones((2, 4)), keras.ops.zeros((2, 4))
    >>> fused = ScalarWeighting(constraint="convex")([a, b])
    >>> bool(keras.ops.all(fused == 0.5))
    True
    """

    has_weights = True
    choices = {
        "per": ("modality", "channel"),
        "constraint": (None, "affine", "convex"),
    }

    def __init__(
        self,
        units: int | None = None,
        per: str = "modality",
        constraint: str | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.per = require_choice(self, "per", per, ("modality", "channel", "element"))
        self.constraint = require_choice(
            self, "constraint", constraint, (None, "affine", "convex")
        )

    def build(self, input_shape):
        super().build(input_shape)
        width = self.output_width(input_shape)
        positions = tuple(input_shape[0][1:-1])
        shape = {"modality": (), "channel": (width,), "element": (*positions, width)}
        start = 0.0 if self.constraint == "convex" else 1.0 / self.num_modalities
        self.weighting = self.add_weight(
            name="weighting",
            shape=(self.num_modalities, *shape[self.per]),
            initializer=keras.initializers.Constant(start),
        )

    def fuse(self, inputs, present, query=None, training=None):
        weights = self._constrain(present)
        return weighted_sum(weights, inputs), weights

    def check(self, shapes):
        super().check(shapes)
        if self.per == "element" and None in shapes[0][1:]:
            raise ValueError(
                f'{self.name} with per="element" needs known sizes on all axes but '
                f"the first; received {tuple(shapes[0])}."
            )
        if self.per == "element" and self.built:
            positions = tuple(self.weighting.shape[1:-1])
            if positions != tuple(shapes[0][1:-1]):
                raise ValueError(
                    f"{self.name} has weights for positions {positions}; received "
                    f"{tuple(shapes[0])}."
                )

    def _constrain(self, present):
        """M weights a_m that broadcast to the inputs."""
        raw = ops.unstack(ops.convert_to_tensor(self.weighting), axis=0)
        raw = present.select(raw)
        if self.constraint is None:
            return raw
        if self.constraint == "convex":
            weights = softmax(ops.stack(raw, axis=-1), present.stack())
            return ops.unstack(weights, self.num_modalities, axis=-1)
        rest = (1 - sum(raw)) / present.count(raw)
        return present.select([r + rest for r in raw])
