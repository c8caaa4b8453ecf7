"""Probabilities that mean what they say, and sets of classes that hold the true one."""

from keras_fusion.calibration.conformal import (
    conformal_threshold as conformal_threshold,
)
from keras_fusion.calibration.conformal import prediction_sets as prediction_sets
from keras_fusion.calibration.temperature import calibrate as calibrate

__all__ = ["calibrate", "conformal_threshold", "prediction_sets"]
