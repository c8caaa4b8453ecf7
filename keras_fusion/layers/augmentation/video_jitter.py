import keras
from keras import ops, random

from keras_fusion.layers.arguments import require_fraction
from keras_fusion.layers.augmentation.warping import warp
from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class VideoJitter(Layer):
    """In training, every clip a little faster, later, nearer and elsewhere.

    Along time, height and width alike `y_i` is the clip at `c + (1 + a)(i - c) + b n`,
    c the middle of n places: for every clip of a batch one speed a and one delay b
    within `time` either way, one a within `zoom` for height and width together, and a
    b within `shift` for either. Between places it is interpolated; beyond the edges
    their values are held. At inference the clip stays as it is.

    Shapes: `(B, T, H, W, C)` to the same, all but B known.

    Args:
        time: In [0, 1), a share of the frames.
        zoom: In [0, 1), a share of the size.
        shift: In [0, 1), a share of height and width.
        seed: Of the draws.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> clips = keras.random.normal((2, 12, 24, 16, 1))
    >>> tuple(VideoJitter(shift=0.2)(clips, training=True).shape)
    (2, 12, 24, 16, 1)
    """

    def __init__(
        self,
        time: float = 0.1,
        zoom: float = 0.1,
        shift: float = 0.1,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.time = require_fraction(self, "time", time)
        self.zoom = require_fraction(self, "zoom", zoom)
        self.shift = require_fraction(self, "shift", shift)
        self.seed = seed
        self.seed_generator = self.add_seed(seed)

    def build(self, input_shape):
        if len(input_shape) != 5 or None in input_shape[1:]:
            raise ValueError(
                f"{self.name} expects clips (B, T, H, W, C) of known size; received "
                f"shape {tuple(input_shape)}."
            )

    def call(self, inputs, training=None):
        inputs = self.as_numbers(inputs)
        if not self.resolve_training(training):
            return inputs
        speed, delay, zoom, down, right = self._draws(ops.shape(inputs)[0])
        x = inputs
        if self.time:
            x = warp(x, 1, self.time * speed, self.time * delay)
        if self.zoom or self.shift:
            x = warp(x, 2, self.zoom * zoom, self.shift * down)
            x = warp(x, 3, self.zoom * zoom, self.shift * right)
        return x

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def _draws(self, batch):
        """Five numbers within 1 either way for every clip, each `(B, 1)`."""
        draws = random.uniform(
            (batch, 5), -1, 1, dtype="float32", seed=self.seed_generator
        )
        return ops.split(draws, 5, axis=1)
