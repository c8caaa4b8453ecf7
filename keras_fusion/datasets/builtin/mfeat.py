"""UCI Multiple Features: six sets of features of the same 2000 handwritten digits.

Source: R. P. W. Duin (1998), Multiple Features, UCI Machine Learning Repository,
https://doi.org/10.24432/C5HC70, licensed CC BY 4.0.
"""

from pathlib import Path

import numpy as np

from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.dataset import Raw

FILE = Path(__file__).parent / "data" / "mfeat.npz"
ARCHIVE = archives.Archive(
    FILE.name,
    "a74a962770b380bd62bcf6389d2eb653c9fa1868044a26462d439c008c9c8d63",
    "https://doi.org/10.24432/C5HC70, CC BY 4.0",
)
WIDTHS = {"fou": 76, "fac": 216, "kar": 64, "pix": 240, "zer": 47, "mor": 6}


def read(path: Path = FILE) -> Raw:
    """Six `(2000, width)` float32 modalities, labels 0 to 9, 1600 rows to train.

    Args:
        path: Another copy of the file.

    Raises:
        ValueError: If the SHA-256 of the file is not the published one.
    """
    arrays = archives.read(ARCHIVE, path)
    inputs = {name: arrays[f"X_{name}"].astype(np.float32) for name in WIDTHS}
    return Raw(inputs, arrays["y"], arrays["is_train"])
