"""UCI Multiple Features: six sets of features of the same 2000 handwritten digits.

Source: R. P. W. Duin (1998), Multiple Features, UCI Machine Learning Repository,
https://doi.org/10.24432/C5HC70, licensed CC BY 4.0.
"""

import hashlib
import io
from pathlib import Path

import numpy as np

from keras_fusion.datasets.dataset import Raw

FILE = Path(__file__).parent / "data" / "mfeat.npz"
SHA256 = "334c4410f97d7d28855d6bc0bb9ab442310116da94b7c6d562105731b4a1b8cb"
WIDTHS = {"fou": 76, "fac": 216, "kar": 64, "pix": 240, "zer": 47, "mor": 6}


def read(path: Path = FILE) -> Raw:
    """Six `(2000, width)` float32 modalities, labels 0 to 9, 1600 rows to train.

    Args:
        path: Another copy of the file.

    Raises:
        ValueError: If the SHA-256 of the file is not the published one.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256:
        raise ValueError(f"{path}: expected SHA-256 {SHA256}; received {digest}.")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        inputs = {name: archive[f"X_{name}"] for name in WIDTHS}
        return Raw(inputs, archive["y"], archive["is_train"])
