"""Any `keras.Model` -> a versioned, verified TensorFlow SavedModel, and back."""

from keras_fusion.export.exporting import export
from keras_fusion.export.reading import input_names, labels, signature

__all__ = ["export", "input_names", "labels", "signature"]
