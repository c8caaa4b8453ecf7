"""Small networks of videos: stages of space and time, and connections between them."""

from keras import layers, ops

from keras_fusion.common.names import safe_names
from keras_fusion.layers import JointHeatmaps, SqueezeExcitation, Summation
from keras_fusion.zoo.parts.encoders import check_names
from keras_fusion.zoo.parts.given import given

JOINTS = (17, 18, 20, 21, 25)  # of COCO, OpenPose, Kinect, hands, Kinect 2
CHANNELS_FIRST = (
    "Stream {name!r} of shape {shape} looks like channels first: volumes are "
    "(T, H, W, C), frames first and channels last, as np.moveaxis(x, 1, -1) makes them."
)


def augmented(streams: dict, augmentation: dict) -> dict:
    """The streams, each through the layers listed for it."""
    check_names("layers", augmentation, streams)
    safe = safe_names(streams)
    return streams | {
        name: given(safe[name], layers, streams[name], "augmentation")
        for name, layers in augmentation.items()
    }


def as_volumes(streams: dict, heatmaps: dict) -> dict:
    """The streams, those of joints as volumes of heatmaps.

    Args:
        streams: Tensors `(B, T, H, W, C)`, or joints `(B, T, J, 2 or 3)`, by name.
        heatmaps: Arguments of `JointHeatmaps` for the streams that are joints.
    """
    check_names("heatmaps", heatmaps, streams)
    volumes, safe = {}, safe_names(streams)
    for name, x in streams.items():
        if name in heatmaps:
            x = JointHeatmaps(name=f"{safe[name]}_heatmaps", **heatmaps[name])(x)
        _check_volume(name, tuple(x.shape[1:]))
        volumes[name] = x
    return volumes


def stage(name: str, x, width: int, dropout: float):
    """Half of height and width, all frames: `(B, T, h, w, width)`.

    A 3x3 convolution over each frame, then a residual one over three frames, whose
    channels are weighted by squeeze-and-excitation. Every sample for itself: no batch
    statistics.
    """
    x = _activated(f"{name}_space", _over_space(f"{name}_space", x, width))
    h = _activated(f"{name}_time", _over_time(f"{name}_time", x, width))
    h = SqueezeExcitation(4, activation="gelu", name=f"{name}_excitation")(h)
    h = layers.Dropout(dropout, name=f"{name}_dropout")(h)
    h = layers.Dense(width, name=f"{name}_projection")(h)
    return _norm(f"{name}_output", layers.Add(name=f"{name}_add")([x, h]))


def exchange(name: str, streams: dict, modality_mask) -> dict:
    """To every stream is added a linear map of each other one that is present.

    Args:
        name: Prefix of the layers' names.
        streams: `(B, T, H, W, C)` by name, equal but for C.
        modality_mask: `(B, M)` bool, or None.
    """
    shapes = {other: tuple(x.shape[1:4]) for other, x in streams.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(
            "Lateral connections need streams of equal (T, H, W) after every stage; "
            f"{name} has {shapes}: bring them to the same frames and size, or use "
            "lateral=False."
        )
    joined, safe = {}, safe_names(streams)
    for m, (own, x) in enumerate(streams.items()):
        prefix = f"{name}_{safe[own]}"
        received = [
            layers.Dense(x.shape[-1], name=f"{prefix}_from_{safe[other]}")(y)
            for other, y in streams.items()
            if other != own
        ]
        options = {}
        if modality_mask is not None:
            others = [i for i in range(len(streams)) if i != m]
            options["modality_mask"] = ops.take(modality_mask, others, axis=1)
        total = Summation(name=f"{prefix}_received")(received, **options)
        joined[own] = layers.Add(name=f"{prefix}_joined")([x, total])
    return joined


def frames_side_by_side(x):
    """`(B, T C)`, the mean over each frame, of volumes; anything else as it is."""
    if len(x.shape) != 5:
        return x
    return layers.Flatten()(ops.mean(x, axis=(2, 3)))


def _over_space(name, x, width):
    """3x3, stride 2, each frame a sample: 3 times `Conv3D`'s speed on TensorFlow."""
    frames = ops.reshape(x, (-1, *x.shape[2:]))  # (B T, H, W, C)
    convolve = layers.Conv2D(
        width, 3, strides=2, padding="same", data_format="channels_last", name=name
    )
    frames = convolve(frames)
    return ops.reshape(frames, (-1, x.shape[1], *frames.shape[1:]))


def _over_time(name, x, width):
    """A convolution over three frames, as one product of matrices."""
    padded = ops.pad(x, [(0, 0), (1, 1), (0, 0), (0, 0), (0, 0)])
    count = x.shape[1]
    shifted = [padded[:, i : i + count] for i in range(3)]
    return layers.Dense(width, name=name)(ops.concatenate(shifted, axis=-1))


def _activated(name, x):
    return layers.Activation("gelu", name=f"{name}_activation")(
        _norm(f"{name}_norm", x)
    )


def _norm(name, x):
    """Over a whole clip: place by place, empty space would be as loud as a body."""
    return layers.GroupNormalization(groups=1, epsilon=1e-5, name=name)(x)


def _check_volume(name, shape):
    if len(shape) != 4 or None in shape:
        raise ValueError(
            f"Stream {name!r} must be a volume (T, H, W, C) of known size, or joints "
            f"(T, J, 2) that `heatmaps` names; received {shape}."
        )
    frames, height, width, channels = shape
    flat = 2 * height <= width  # no picture: rather time and height
    few = frames in (1, 3) and width >= 32  # no video: rather colors
    joints = frames in JOINTS and channels == width >= 32  # rather maps of joints
    if channels >= width and (flat or few or joints):
        raise ValueError(CHANNELS_FIRST.format(name=name, shape=shape))
