"""Probabilities that mean what they say, and sets of classes that hold the true one."""

from keras_fusion.calibration.adaptive import adaptive_sets as adaptive_sets
from keras_fusion.calibration.adaptive import adaptive_threshold as adaptive_threshold
from keras_fusion.calibration.conformal import (
    conformal_threshold as conformal_threshold,
)
from keras_fusion.calibration.conformal import prediction_sets as prediction_sets
from keras_fusion.calibration.temperature import calibrate as calibrate

__all__ = [
    "adaptive_sets",
    "adaptive_threshold",
    "calibrate",
    "conformal_threshold",
    "prediction_sets",
]
