import keras
from keras import ops, random

from keras_fusion.layers.arguments import require_fraction
from keras_fusion.layers.base import Layer


@keras.saving.register_keras_serializable("keras_fusion")
class JointHeatmaps(Layer):
    """The joints of a skeleton as a video, in which each joint has its own channel.

    `y[t, i, j, k] = c exp(-((j + 1/2 - u)^2 + (i + 1/2 - v)^2) / (2 sigma^2))`, (u, v)
    the place of joint k at time t in pixels from the left and upper edge, c its
    confidence. Computed as it is needed: the joints are stored, not the volume.

    Shapes: joints `(B, T, J, 2)`, x to the right and y downwards in any unit, or
    `(B, T, J, 3)` with the confidence c behind them, to `(B, T, H, W, J)`. A joint of
    which a number is NaN or infinite, or whose confidence is 0, is not there: it leaves
    no heat, and no frame is stretched for it. Of a joint outside the frame there
    is what its Gaussian has inside; far outside that is nothing. Masks pass through.

    Args:
        size: `(H, W)` in pixels.
        sigma: Of the Gaussians, in pixels.
        extent: `(left, right, top, bottom)`, where the frame's edges are in the unit of
            the joints; with top > bottom y points upwards. None puts into every clip's
            frame the smallest box that holds all its joints at all times, whatever
            their unit, with equal scales along x and y.
        padding: What is left free around that box, as a share of it on either side.
        jitter: In training every clip is enlarged or reduced, and shifted either way,
            by up to this share.
        seed: Of the jitter.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> joints = keras.random.uniform((2, 12, 20, 2))
    >>> tuple(JointHeatmaps(size=(24, 32))(joints).shape)
    (2, 12, 24, 32, 20)

    Reference: Duan, Zhao, Chen, Lin and Dai, 2022, Revisiting Skeleton-based Action
    Recognition.
    """

    def __init__(
        self,
        size: tuple[int, int] = (32, 32),
        sigma: float = 0.6,
        extent: tuple | None = None,
        padding: float = 0.1,
        jitter: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        # Places in pixels are more than half precision holds.
        super().__init__(autocast=False, **kwargs)
        self.size = size
        self.sigma = sigma
        self.extent = extent
        self.padding = padding
        self.jitter = require_fraction(self, "jitter", jitter)
        self.seed = seed
        self._check()
        self.seed_generator = self.add_seed(seed)
        self.supports_masking = True

    def build(self, input_shape):
        if len(input_shape) != 4 or input_shape[-1] not in (2, 3):
            raise ValueError(
                f"{self.name} expects joints (B, T, J, 2), x and y, or (B, T, J, 3) "
                f"with a confidence; received shape {tuple(input_shape)}."
            )

    def call(self, inputs, mask=None, training=None):
        joints = ops.cast(inputs, "float32")
        known = ops.all(ops.isfinite(joints), axis=-1, keepdims=True)  # (B, T, J, 1)
        if inputs.shape[-1] == 3:
            known = ops.logical_and(known, joints[..., 2:] != 0)
        if mask is not None:
            known = ops.logical_and(known, mask[:, :, None, None])
        joints = ops.where(known, joints, 0.0)
        places = self._pixels(joints[..., :2], known)  # (B, T, J, 2)
        if self.jitter and self.resolve_training(training):
            places = self._jittered(places)
        confidence = ops.cast(known, "float32")
        if inputs.shape[-1] == 3:
            confidence = confidence * joints[..., 2:]
        rows = self._bell(places[..., 1], self.size[0])  # (B, T, H, J)
        columns = self._bell(places[..., 0], self.size[1])  # (B, T, W, J)
        rows = rows * ops.swapaxes(confidence, -1, -2)
        heat = rows[:, :, :, None] * columns[:, :, None]  # (B, T, H, W, J)
        return ops.cast(heat, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], *self.size, input_shape[2])

    def _pixels(self, places, known):
        height, width = self.size
        if self.extent is not None:
            left, right, top, bottom = self.extent
            origin = ops.convert_to_tensor([left, top], "float32")
            span = ops.convert_to_tensor([right - left, bottom - top], "float32")
            return (
                (places - origin)
                / span
                * ops.convert_to_tensor([width, height], "float32")
            )
        low = ops.min(ops.where(known, places, 1e30), axis=(1, 2), keepdims=True)
        high = ops.max(ops.where(known, places, -1e30), axis=(1, 2), keepdims=True)
        frame = ops.convert_to_tensor([width, height], "float32")
        unit = (1 + 2 * self.padding) * (high - low) / frame
        unit = ops.max(unit, axis=-1, keepdims=True)  # of one pixel, (B, 1, 1, 1)
        unit = ops.where(unit > 0, unit, 1.0)  # of a clip without joints, or with one
        return (places - (low + high) / 2) / unit + frame / 2

    def _jittered(self, places):
        draws = random.uniform(
            (ops.shape(places)[0], 1, 1, 4), -1, 1, seed=self.seed_generator
        )
        frame = ops.convert_to_tensor(self.size[::-1], "float32")
        scale = 1 + self.jitter * draws[..., :1]
        shift = self.jitter * draws[..., 2:] * frame
        return (places - frame / 2) * scale + frame / 2 + shift

    def _bell(self, places, pixels):
        """The Gaussians along one axis, `(B, T, pixels, J)`."""
        centers = ops.arange(pixels, dtype="float32")[:, None] + 0.5
        distance = (centers - places[:, :, None]) / self.sigma
        return ops.exp(-0.5 * ops.square(distance))

    def _check(self):
        if len(self.size) != 2 or any(int(n) != n or n < 1 for n in self.size):
            raise ValueError(
                "JointHeatmaps expects size to be (height, width) in pixels; received "
                f"{self.size!r}."
            )
        if not self.sigma > 0 or not self.padding >= 0:
            raise ValueError(
                "JointHeatmaps expects sigma above 0 and padding from 0; received "
                f"{self.sigma!r} and {self.padding!r}."
            )
        extent = self.extent
        if extent is not None and (
            len(extent) != 4 or extent[0] == extent[1] or extent[2] == extent[3]
        ):
            raise ValueError(
                "JointHeatmaps expects extent to be (left, right, top, bottom), edges "
                f"apart from each other, or None; received {extent!r}."
            )
