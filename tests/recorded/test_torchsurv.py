"""Cox' partial likelihood and Breslow's baseline hazard, against those of torchsurv."""

import numpy as np

from keras_fusion.common.gradients import with_gradients
from keras_fusion.survival import CoxLoss, baseline_hazard
from tests.recorded.recording import assert_recorded, read

DATA = read("torchsurv")
TIMES, EVENTS, SCORES = DATA["times"], DATA["events"], DATA["scores"]


def test_cox_loss():
    labels = np.stack([TIMES, EVENTS], axis=1).astype("float32")

    def run(arrays):
        found = CoxLoss()(labels, arrays[0]) * EVENTS.sum()
        return found, found

    found, (slopes,) = with_gradients(run)([SCORES[:, None]])
    assert_recorded(found, DATA["loss"])
    assert_recorded(slopes[:, 0], DATA["gradient"])


def test_baseline_hazard():
    found = baseline_hazard(TIMES, EVENTS, SCORES, DATA["baseline/times"])
    assert_recorded(np.exp(-found), DATA["baseline/survival"])
