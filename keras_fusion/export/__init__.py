"""Any `keras.Model` -> a versioned, verified TensorFlow SavedModel, and back."""

from keras_fusion.export.exporting import check_installed, export
from keras_fusion.export.loading import load
from keras_fusion.export.manifest import verified_versions, verify
from keras_fusion.export.raw_columns import RawColumns
from keras_fusion.export.reading import (
    check_inputs,
    input_columns,
    input_shapes,
    labels,
    metrics,
    not_inputs,
    signature,
)
from keras_fusion.export.versions import newest

__all__ = [
    "RawColumns",
    "check_inputs",
    "check_installed",
    "export",
    "input_columns",
    "input_shapes",
    "labels",
    "load",
    "metrics",
    "newest",
    "not_inputs",
    "signature",
    "verified_versions",
    "verify",
]
