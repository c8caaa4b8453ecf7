"""Handwritten and spoken digits, paired by what they say.

Images of MNIST (Y. LeCun, C. Cortes, C. Burges) and recordings of the Free Spoken Digit
Dataset (Z. Jackson and others, CC BY-SA 4.0). Which image goes with which recording,
the noise and the blur are this archive's own, so numbers published on other pairings of
the two do not compare.
"""

from pathlib import Path

import numpy as np

from keras_fusion.common.catalogue import find
from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.dataset import Raw

ARCHIVE = archives.Archive(
    "avmnist_fsdd.npz",
    "a3fb4956505ea334a4282a9331c17a9ba2d5d558d766e4fb9685d986d3ef1c49",
    "MNIST, and https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0",
)
CONFIGS = {
    "clean": {"image": "image", "audio": "audio"},
    "hard": {"image": "image_low", "audio": "audio_noisy"},
}


def columns(config: str, path: Path | None = None) -> dict[str, np.ndarray]:
    """`image` (11000, 28, 28, 1) and `audio` (11000, 32, 32, 1) uint8, `label`,
    `recording`, the number of the audio, and `is_train`, all (11000,).

    Args:
        config: `"clean"`, or `"hard"`: images of a quarter of their energy (the first
            principal components), recordings under noise of -6 dB. The audio is the
            logarithm of a mel spectrogram.
        path: Of the archive, in place of the folder of `archives`.

    Raises:
        ValueError: If there is no such config, or if the archive is not there or not
            the published one.
    """
    names = find("config of av_digits", config, CONFIGS)
    arrays = archives.read(ARCHIVE, path)
    images, audio = (arrays[name] for name in names.values())
    return {
        "image": images[..., None],
        "audio": audio[arrays["pair"]][..., None],
        "label": arrays["y"],
        "recording": arrays["pair"],
        "is_train": arrays["is_train"],
    }


def read(config: str) -> Raw:
    """The two modalities as maps of bytes, labels 0 to 9, 9000 rows to train.

    The groups are the recordings: there are 2600 in these rows, none of them in those
    that test, so a row validates only with all others that have its recording.
    """
    found = columns(config)
    inputs = {name: found[name] for name in ("image", "audio")}
    groups = found["recording"]
    return Raw(inputs, found["label"], found["is_train"], groups=groups)
