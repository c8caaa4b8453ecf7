"""Columns of a person's own table, a file for each kind, and what prepares them.

A kind is a module with `RAW` (dtype of its values in an exported graph), `infer`,
`fit`, `encode`, `graph` and `words`; kinds that share the modality of a table's small
values have `width` and `embedding` besides.
"""

from keras_fusion.datasets.columns.preprocessor import Preprocessor

__all__ = ["Preprocessor"]
