"""UCI One-hundred plant species leaves: shape, margin and texture of 1600 leaves.

Source: J. Cope, T. Beghin, P. Remagnino, S. Barman, One-hundred plant species leaves
data set, UCI Machine Learning Repository, number 241. Features: C. Mallah, J. Cope,
J. Orwell (2013), Plant Leaf Classification Using Probabilistic Integration of Shape,
Texture and Margin Features.
"""

from pathlib import Path

from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.dataset import Raw

ARCHIVE = archives.Archive(
    "leaves100.npz",
    "a9e94ed86459bba9788e8f9f59a1550c4ad14349f93be5e4e586be5e5bd88a10",
    "https://archive.ics.uci.edu/dataset/241, CC BY 4.0",
)
MODALITIES = ("shape", "margin", "texture")


def read(path: Path | None = None) -> Raw:
    """Three `(1600, 64)` float32 modalities, labels 0 to 99, and the fixed split.

    Args:
        path: Of the archive, in place of the folder of `archives`.

    Raises:
        ValueError: If the archive is not there or not the published one.
    """
    arrays = archives.read(ARCHIVE, path)
    inputs = {name: arrays[f"X_{name}"] for name in MODALITIES}
    return Raw(inputs, arrays["y"], arrays["is_train"])
