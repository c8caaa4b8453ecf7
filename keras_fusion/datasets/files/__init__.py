"""npz, csv, parquet and json files -> raw arrays by modality, matched by name."""

from keras_fusion.datasets.files.matching import Rows
from keras_fusion.datasets.files.reading import (
    read,
    read_labeled,
    read_rows,
    row_parts,
)

__all__ = ["Rows", "read", "read_labeled", "read_rows", "row_parts"]
