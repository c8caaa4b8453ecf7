"""npz, csv, parquet and json files -> raw arrays by modality, matched by name."""

from keras_fusion.datasets.files.reading import read, read_labeled, read_rows
from keras_fusion.datasets.files.schema import Schema

__all__ = ["Schema", "read", "read_labeled", "read_rows"]
