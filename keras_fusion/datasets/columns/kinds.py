"""Every kind of column, in the order in which a column is asked whether it is one."""

from keras_fusion.common.catalogue import find
from keras_fusion.datasets.columns import (
    array,
    audio,
    boolean,
    category,
    date,
    image,
    number,
    text,
)

KINDS = {
    "image": image,
    "audio": audio,
    "array": array,
    "boolean": boolean,
    "date": date,
    "number": number,
    "text": text,
    "category": category,
}
# Whose columns make one modality together, `table`; others are a modality each.
SMALL = ("boolean", "category", "date", "number")


def kind(name: str):
    """The module of this kind; a ValueError lists the kinds else."""
    return find("kind of column", name, KINDS)
