"""The data sets as tensorflow-datasets builders.

Importing this module registers them:

    import tensorflow_datasets as tfds
    import keras_fusion.datasets.tfds

    digits = tfds.load("mfeat", split="train")
"""

import abc
from pathlib import Path

import numpy as np

from keras_fusion.datasets import (
    graph_tfds,  # noqa: F401  registers Cora and CiteSeer
    images,
    table_tfds,  # noqa: F401  registers the reviews of clothing
)
from keras_fusion.datasets.builtin import (
    archives,
    av_digits,
    mfeat,
    tools_rgbd,
    utd_mhad,
)

try:
    import tensorflow_datasets as tfds
except ImportError as error:
    raise ImportError(
        "The tensorflow-datasets builders need "
        'pip install "keras-fusion[datasets,tensorflow]".'
    ) from error


def supervised(modalities, target: str) -> tuple[dict[str, str], str]:
    """What `as_supervised=True` gives: modalities by name, and the label."""
    return {name: name for name in modalities}, target


class ArchiveBuilder(tfds.core.GeneratorBasedBuilder):
    """A data set that is one archive with a fixed split.

    A subclass describes itself in `_info` and reads its archive in `_read`.
    """

    VERSION = tfds.core.Version("1.0.0")

    @abc.abstractmethod
    def _read(self, dl_manager) -> tuple[dict, np.ndarray]:
        """A column `(N, ...)` for every feature, and which rows train, `(N,)` bool.

        They come from `dl_manager.manual_dir` or from the package.
        """

    def _split_generators(self, dl_manager):
        columns, is_train = self._read(dl_manager)
        return {
            "train": self._generate_examples(columns, is_train),
            "test": self._generate_examples(columns, ~is_train),
        }

    def _generate_examples(self, columns, chosen):
        for row in map(int, np.flatnonzero(chosen)):
            yield row, {name: values[row] for name, values in columns.items()}


class Mfeat(ArchiveBuilder):
    """UCI Multiple Features, raw; read from the package, or from one's own copy."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Nothing is needed: the data are part of keras_fusion. A file mfeat.npz in "
        "manual_dir is read in their place."
    )

    def _info(self):
        features = {
            name: tfds.features.Tensor(shape=(width,), dtype=np.float32)
            for name, width in mfeat.WIDTHS.items()
        }
        return tfds.core.DatasetInfo(
            builder=self,
            supervised_keys=supervised(mfeat.WIDTHS, "label"),
            description="Six sets of features of the same 2000 handwritten digits.",
            features=tfds.features.FeaturesDict(
                features | {"label": tfds.features.ClassLabel(num_classes=10)}
            ),
            homepage="https://archive.ics.uci.edu/dataset/72/multiple+features",
            citation=_MFEAT_CITATION,
            license="CC BY 4.0",
        )

    def _read(self, dl_manager):
        try:
            path = Path(dl_manager.manual_dir / mfeat.FILE.name)
        except AssertionError:  # so tfds says that there is no manual_dir
            path = mfeat.FILE
        raw = mfeat.read(path if path.exists() else mfeat.FILE)
        return raw.inputs | {"label": raw.labels}, raw.is_train


def _instructions(archive: archives.Archive) -> str:
    return f"Put {archive.file} into manual_dir. Source: {archive.source}."


class AvDigits(ArchiveBuilder):
    """Handwritten and spoken digits, raw, in the configs clean and hard."""

    BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=name) for name in av_digits.CONFIGS]
    MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(av_digits.ARCHIVE)

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(28, 28, 1), encoding_format="png"),
            "audio": tfds.features.Image(shape=(32, 32, 1), encoding_format="png"),
            "label": tfds.features.ClassLabel(num_classes=10),
            "recording": tfds.features.Scalar(dtype=np.int16),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            supervised_keys=supervised(("image", "audio"), "label"),
            description="Images of MNIST and recordings of spoken digits, paired.",
            features=tfds.features.FeaturesDict(features),
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
            license="CC BY-SA 4.0",
        )

    def _read(self, dl_manager):
        path = Path(dl_manager.manual_dir / av_digits.ARCHIVE.file)
        columns = av_digits.columns(self.builder_config.name, path)
        return columns, columns.pop("is_train")


class ToolsRgbd(ArchiveBuilder):
    """Hand tools on a bench, raw: a depth of 0 is no reading, units differ by rig."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(tools_rgbd.ARCHIVE)

    def _info(self):
        def image(channels, dtype):
            shape = (108, 192, channels)
            return tfds.features.Image(shape=shape, dtype=dtype, encoding_format="png")

        features = {
            "rgb": image(3, np.uint8),
            "depth": image(1, np.uint16),
            "mask": image(1, np.uint8),
            "rig": tfds.features.Scalar(dtype=np.uint8),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            supervised_keys=supervised(("rgb", "depth"), "mask"),
            description="RGB-D frames of hand tools, with masks of five kinds of tool: "
            + ", ".join(tools_rgbd.TOOLS),
            features=tfds.features.FeaturesDict(features),
        )

    def _read(self, dl_manager):
        path = Path(dl_manager.manual_dir / tools_rgbd.ARCHIVE.file)
        columns = tools_rgbd.columns(path)
        for name in ("depth", "mask"):
            columns[name] = columns[name][..., None]
        del columns["class_names"]
        return columns, columns.pop("is_train")


class RgbdFolder(tfds.core.GeneratorBasedBuilder):
    """One's own color, depth and masks, raw, all in one split."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put the folders rgb/, depth/ and mask/ into manual_dir, with images of the "
        "same names: PNG, and JPEG for rgb/."
    )

    def _info(self):
        def image(channels, dtype):
            shape = (None, None, channels)
            return tfds.features.Image(shape=shape, dtype=dtype, encoding_format="png")

        features = {
            "rgb": image(3, np.uint8),
            "depth": image(1, np.uint16),
            "mask": image(1, np.uint16),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            supervised_keys=supervised(("rgb", "depth"), "mask"),
            description="RGB-D images with masks, of one size.",
            features=tfds.features.FeaturesDict(features),
        )

    def _split_generators(self, dl_manager):
        columns = images.columns(Path(dl_manager.manual_dir))
        for name in ("depth", "mask"):
            columns[name] = columns[name][..., None].astype(np.uint16)
        return {"train": self._generate_examples(columns)}

    def _generate_examples(self, columns):
        for row in range(len(columns["rgb"])):
            yield row, {name: values[row] for name, values in columns.items()}


class UtdMhad(ArchiveBuilder):
    """Actions by a worn sensor, a skeleton and depth video, raw; a split by person."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(utd_mhad.ARCHIVE)

    def _info(self):
        def tensor(*shape, dtype=np.float32):
            return tfds.features.Tensor(shape=shape, dtype=dtype)

        features = {
            "inertial": tensor(128, 6),
            "skeleton": tensor(64, 20, 3),
            "depth": tensor(12, 48, 64, dtype=np.uint8),
            "dmm": tensor(48, 64, dtype=np.uint8),
            "lengths": tensor(3, dtype=np.int16),
            "label": tfds.features.ClassLabel(names=utd_mhad.ACTIONS),
            "subject": tfds.features.Scalar(dtype=np.int16),
            "trial": tfds.features.Scalar(dtype=np.int16),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            supervised_keys=supervised(("inertial", "skeleton", "depth"), "label"),
            description="Actions by a worn sensor, a skeleton and depth video.",
            features=tfds.features.FeaturesDict(features),
            homepage=utd_mhad.ARCHIVE.source,
            citation=_UTD_MHAD_CITATION,
        )

    def _read(self, dl_manager):
        path = Path(dl_manager.manual_dir / utd_mhad.ARCHIVE.file)
        columns = utd_mhad.columns(path)
        return columns, columns.pop("is_train")


_UTD_MHAD_CITATION = """\
@inproceedings{chen2015utd,
  author = {Chen, Chen and Jafari, Roozbeh and Kehtarnavaz, Nasser},
  title = {UTD-MHAD: A Multimodal Dataset for Human Action Recognition Utilizing a
           Depth Camera and a Wearable Inertial Sensor},
  booktitle = {IEEE International Conference on Image Processing},
  year = {2015},
}"""
_MFEAT_CITATION = """\
@misc{duin1998multiple,
  author = {Duin, Robert P. W.},
  title = {Multiple Features},
  year = {1998},
  howpublished = {UCI Machine Learning Repository},
  doi = {10.24432/C5HC70},
}"""
