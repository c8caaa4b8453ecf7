"""The likelihood of times in intervals, against pycox.

A row that is censored in interval k there has survived it; here it has survived all
before, so that the same row has the number k + 1.
"""

import numpy as np
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.layers import ContinuationRatio
from keras_fusion.survival import CensoredCrossentropy
from tests.recorded.recording import assert_recorded, read

DATA = read("pycox")
EVENTS = DATA["events"]
LABELS = np.stack([DATA["intervals"] + ~EVENTS, EVENTS], axis=1).astype("float32")


def of_hazards(logits):
    """The logit of a hazard is minus that of going on."""
    head = ContinuationRatio(4)
    head.build(logits.shape)
    head.going_on.kernel.assign(-np.eye(3))
    return head(logits)


def of_softmax(logits):
    return ops.softmax(ops.pad(logits, [(0, 0), (0, 1)]))


@pytest.mark.parametrize("name, head", [("hazard", of_hazards), ("pmf", of_softmax)])
def test_censored_crossentropy(name, head):
    def run(arrays):
        found = CensoredCrossentropy(reduction=None)(LABELS, head(arrays[0]))
        return ops.sum(found), found

    found, (slopes,) = with_gradients(run)([DATA["logits"].astype("float32")])
    assert_recorded(found, DATA[f"{name}/loss"])
    assert_recorded(slopes, DATA[f"{name}/gradient"])
