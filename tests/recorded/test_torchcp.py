"""Conformal sets, against those of torchcp."""

import numpy as np

from keras_fusion import calibration
from tests.recorded.recording import read

DATA = read("torchcp")
KNOWN, NEW = (DATA["labels"], DATA["known"]), DATA["new"]


def test_the_smallest_sets():
    for level, sets in zip(DATA["levels"], DATA["lac"], strict=True):
        threshold = calibration.conformal_threshold(*KNOWN, level)
        found = calibration.prediction_sets(NEW, threshold)
        np.testing.assert_array_equal(found, sets)


def test_adaptive_sets():
    """Of which those are empty there that hold the most probable class here."""
    empty = 0
    for level, sets in zip(DATA["levels"], DATA["aps"], strict=True):
        threshold = calibration.adaptive_threshold(*KNOWN, level)
        found = calibration.adaptive_sets(NEW, threshold)
        none = ~sets.any(axis=1)
        np.testing.assert_array_equal(found[~none], sets[~none])
        np.testing.assert_array_equal(found[none], np.eye(4)[NEW[none].argmax(axis=1)])
        empty += none.sum()
    assert empty
