"""UTD-MHAD: 27 actions of eight people, by a worn sensor, a skeleton and depth video.

Source: C. Chen, R. Jafari and N. Kehtarnavaz (2015), UTD-MHAD: A Multimodal Dataset for
Human Action Recognition Utilizing a Depth Camera and a Wearable Inertial Sensor. The
archive has every clip resampled to a fixed length; people 1, 3, 5 and 7 train.
"""

from pathlib import Path

import numpy as np

from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.dataset import Raw

ARCHIVE = archives.Archive(
    "utd_mhad.npz",
    "c86042de50ff81c1b496ead0d85e096173c4c8665815204fa5724961e7a14d59",
    "https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
)
ACTIONS = (
    "swipe left",
    "swipe right",
    "wave",
    "clap",
    "throw",
    "cross arms",
    "basketball shot",
    "draw x",
    "draw circle clockwise",
    "draw circle back",
    "draw triangle",
    "bowling",
    "boxing",
    "baseball swing",
    "tennis swing",
    "arm curl",
    "tennis serve",
    "push",
    "knock",
    "catch",
    "pick up and throw",
    "jog",
    "walk",
    "stand up",
    "sit down",
    "lunge",
    "squat",
)
HEAD, HIP = 0, 3  # joints
START = 8  # frames of the skeleton from which its first pose is taken
FRAMES = 12  # of the depth video
MIDDLE = slice(17, 49)  # columns of the depth video outside of which nobody is
RELIEF = 16  # gray levels from the median of a body to about its nearest points


def columns(path: Path | None = None) -> dict[str, np.ndarray]:
    """The arrays as they are, 861 clips.

    Returns:
        `inertial` (861, 128, 6) float32, acceleration in g and angular velocity in
        degrees per second; `skeleton` (861, 64, 20, 3) float32, x to the right, y
        upwards and z away from the camera in meters; `depth` (861, 12, 48, 64) uint8,
        0 where nobody is, and `dmm` (861, 48, 64) uint8, its depth motion map;
        `lengths` (861, 3), frames before resampling; `label`, `subject`, `trial` and
        `is_train` (861,).

    Args:
        path: Of the archive, in place of the folder of `archives`.

    Raises:
        ValueError: If the archive is not there or not the published one.
    """
    found = archives.read(ARCHIVE, path)
    found["label"] = found.pop("y")
    return found


def read(config: str) -> Raw:
    """Three modalities, or two streams of video, and the actions by name.

    Args:
        config: `"sequences"`: `inertial` (128, 6), `skeleton` (64, 120), each
            joint's place from the hip and its way from the first pose, and `depth` (12,
            24, 16, 1). `"video"`: `depth` likewise and `skeleton` (12, 20, 2), x to the
            right and y downwards, of the same moments.

    Skeletons are taken in units of the person's own torso. Depth is cut to the middle,
    where the person is: 0 where nobody is, else from 1 to 3 by how far a point lies
    from the median one of the clip. Whole people validate.
    """
    found = columns()
    depth = _person(found["depth"])
    if config == "video":
        inputs = {"depth": depth, "skeleton": _on_screen(found["skeleton"])}
    else:
        skeleton = _movement(found["skeleton"])
        inputs = {"inertial": found["inertial"], "skeleton": skeleton, "depth": depth}
    labels = np.array(ACTIONS)[found["label"]]
    return Raw(inputs, labels, found["is_train"], groups=found["subject"])


def _person(depth):
    """`(N, T, H, W)` to `(N, T, H / 2, 16, 1)` float32, means of four pixels."""
    depth = depth[..., MIDDLE].astype(np.float32)
    count, frames, height, width = depth.shape
    there = depth > 0
    center = [np.median(clip[body]) for clip, body in zip(depth, there)]
    relief = (depth - np.reshape(center, (-1, 1, 1, 1))) / RELIEF
    depth = np.where(there, 2 + np.clip(relief, -1, 1), 0)
    squares = depth.reshape(count, frames, height // 2, 2, width // 2, 2)
    return squares.mean(axis=(3, 5), dtype=np.float32)[..., None]


def _size(skeleton):
    """From head to hip, in the mean over a clip: `(N, 1, 1, 1)`."""
    torso = np.linalg.norm(skeleton[:, :, HEAD] - skeleton[:, :, HIP], axis=-1)
    return torso.mean(axis=1)[:, None, None, None]


def _hip(skeleton):
    """Where it is in the mean over a clip: `(N, 1, 1, 3)`."""
    return skeleton[:, :, HIP : HIP + 1].mean(axis=1, keepdims=True)


def _movement(skeleton):
    """`(N, 64, 20, 3)` to `(N, 64, 120)`: places from the hip, ways from the start."""
    start = skeleton[:, :START].mean(axis=1, keepdims=True)
    both = np.concatenate([skeleton - _hip(skeleton), skeleton - start], axis=-1)
    both /= _size(skeleton)
    return both.reshape(*both.shape[:2], -1)


def _on_screen(skeleton):
    """`(N, 64, 20, 3)` to `(N, 12, 20, 2)`, from the hip, y downwards."""
    moments = np.linspace(0, skeleton.shape[1] - 1, FRAMES).round().astype(int)
    places = (skeleton - _hip(skeleton)) / _size(skeleton)
    places = places[:, moments, :, :2]
    return places * np.float32([1, -1])
