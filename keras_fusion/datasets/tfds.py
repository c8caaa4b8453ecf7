"""The data sets as tensorflow-datasets builders.

Importing this module registers them:

    import tensorflow_datasets as tfds
    import keras_fusion.datasets.tfds

    digits = tfds.load("mfeat", split="train")
"""

import abc
from pathlib import Path

import numpy as np

from keras_fusion.datasets import mfeat
from keras_fusion.datasets.dataset import Raw

try:
    import tensorflow_datasets as tfds
except ImportError as error:
    raise ImportError(
        "The tensorflow-datasets builders need "
        'pip install "keras-fusion[datasets,tensorflow]".'
    ) from error


class ArchiveBuilder(tfds.core.GeneratorBasedBuilder):
    """A data set that is one archive with a fixed split.

    A subclass describes itself in `_info`, with one `Tensor` per modality and `label`,
    and reads its archive in `_read`.
    """

    VERSION = tfds.core.Version("1.0.0")

    @abc.abstractmethod
    def _read(self, dl_manager) -> Raw:
        """The data set, from `dl_manager.manual_dir` or from the package."""

    def _split_generators(self, dl_manager):
        raw = self._read(dl_manager)
        return {
            "train": self._generate_examples(raw, raw.is_train),
            "test": self._generate_examples(raw, ~raw.is_train),
        }

    def _generate_examples(self, raw, chosen):
        for row in map(int, np.flatnonzero(chosen)):
            example = {name: values[row] for name, values in raw.inputs.items()}
            yield row, example | {"label": raw.labels[row]}


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
        return mfeat.read(path if path.exists() else mfeat.FILE)


_MFEAT_CITATION = """\
@misc{duin1998multiple,
  author = {Duin, Robert P. W.},
  title = {Multiple Features},
  year = {1998},
  howpublished = {UCI Machine Learning Repository},
  doi = {10.24432/C5HC70},
}"""
