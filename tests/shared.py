"""Data that are not shipped: read from `../shared/data` where a checkout has them."""

import os
from pathlib import Path

import pytest

from keras_fusion.datasets.builtin import (
    archives,
    av_digits,
    clothing_reviews,
    leaves100,
    tools_rgbd,
    utd_mhad,
)

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
ARCHIVES = {
    "av_digits": av_digits.ARCHIVE,
    "clothing_reviews": clothing_reviews.ARCHIVE,
    "leaves100": leaves100.ARCHIVE,
    "tools_rgbd": tools_rgbd.ARCHIVE,
    "utd_mhad": utd_mhad.ARCHIVE,
}

if FOLDER.is_dir():
    os.environ.setdefault(archives.VARIABLE, str(FOLDER))


def there(dataset: str) -> bool:
    """Whether a data set can be read here."""
    archive = ARCHIVES.get(dataset.partition("/")[0])
    return archive is None or (archives.folder() / archive.file).is_file()


def needs(dataset: str):
    """Marks a test that cannot run without a data set."""
    reason = f"{dataset} is not shipped, and not in {archives.folder()}"
    return pytest.mark.skipif(not there(dataset), reason=reason)
