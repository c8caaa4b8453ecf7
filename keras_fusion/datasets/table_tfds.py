"""Reviews of clothing as a tensorflow-datasets builder, one example a review.

Importing `keras_fusion.datasets.tfds` registers it with the others.
"""

from pathlib import Path

import numpy as np

from keras_fusion.datasets.builtin import clothing_reviews as reviews

try:
    import tensorflow_datasets as tfds
except ImportError as error:
    raise ImportError(
        "The tensorflow-datasets builders need "
        'pip install "keras-fusion[datasets,tensorflow]".'
    ) from error


class ClothingReviews(tfds.core.GeneratorBasedBuilder):
    """The columns as they are, all in one split; an empty text is a missing one.

    `Clothing ID` names the piece, of which all rows belong into one part. `Rating`
    gives the label away.
    """

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Put {reviews.ARCHIVE.file} into manual_dir. Source: {reviews.ARCHIVE.source}."
    )

    def _info(self):
        texts = (*reviews.TEXTS, *reviews.CATEGORIES)
        numbers = (*reviews.NUMBERS, reviews.GROUP, reviews.ANSWER)
        features = {name: tfds.features.Text() for name in texts}
        features |= {name: tfds.features.Scalar(np.int64) for name in numbers}
        features[reviews.LABEL] = tfds.features.ClassLabel(num_classes=2)
        return tfds.core.DatasetInfo(
            builder=self,
            description="Reviews of women's clothing, and who recommends the piece.",
            features=tfds.features.FeaturesDict(features),
            homepage=reviews.ARCHIVE.source.split(",")[0],
            license="CC0",
        )

    def _split_generators(self, dl_manager):
        path = Path(dl_manager.manual_dir / reviews.ARCHIVE.file)
        return {"train": self._generate_examples(reviews.columns(path))}

    def _generate_examples(self, columns):
        for row in range(len(columns[reviews.LABEL])):
            values = {name: column[row] for name, column in columns.items()}
            yield row, {n: "" if x is None else x for n, x in values.items()}
