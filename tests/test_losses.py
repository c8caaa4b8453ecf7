import keras
import numpy as np
import pytest

from keras_fusion.losses import SaliencyLoss
from tests.conftest import assert_close

RNG = np.random.default_rng(0)
MASKS = (RNG.random((2, 7, 6)) < 0.3).astype("int32")
LOGITS = RNG.normal(0, 3, (2, 7, 6, 1)).astype("float32")


def reference(mask, logits, window, weight):
    """One image, pixel by pixel, in float64."""
    side = window // 2
    padded = np.pad(mask.astype("float64"), side)
    total = entropy = both = either = 0.0
    for i, j in np.ndindex(mask.shape):
        around = padded[i : i + window, j : j + window].mean()
        w = 1 + weight * abs(around - mask[i, j])
        p = 1 / (1 + np.exp(-np.float64(logits[i, j, 0])))
        y = mask[i, j]
        total += w
        entropy -= w * (y * np.log(p) + (1 - y) * np.log(1 - p))
        both += w * p * y
        either += w * (p + y - p * y)
    return entropy / total + 1 - (both + 1) / (either + 1)


@pytest.mark.parametrize(("window", "weight"), [(3, 5.0), (5, 2.0), (1, 0.0)])
def test_against_the_definition(window, weight):
    loss = SaliencyLoss(window, weight, reduction=None)
    expected = [reference(m, z, window, weight) for m, z in zip(MASKS, LOGITS)]
    assert_close(loss(MASKS, LOGITS), np.array(expected, "float32"))
    assert_close(loss(MASKS[..., None], LOGITS), np.array(expected, "float32"))
    mean = SaliencyLoss(window, weight)(MASKS, LOGITS)
    assert float(mean) == pytest.approx(np.mean(expected), rel=1e-5)


def test_right_is_nothing_and_large_logits_are_finite():
    right = np.where(MASKS[..., None], 1e4, -1e4).astype("float32")
    assert float(SaliencyLoss()(MASKS, right)) == pytest.approx(0, abs=1e-6)
    assert 1e3 < float(SaliencyLoss()(MASKS, -right)) < np.inf


def test_saved_and_loaded():
    loss = SaliencyLoss(window=3, weight=1.0)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(MASKS, LOGITS)) == float(loss(MASKS, LOGITS))
    assert (again.window, again.weight) == (3, 1.0)


def test_what_does_not_fit_is_named():
    for window in (4, 0, 2.0):
        with pytest.raises(ValueError, match="odd number; received"):
            SaliencyLoss(window)
    with pytest.raises(ValueError, match=r"logits \(B, H, W, 1\).*\(2, 7, 6, 3\)"):
        SaliencyLoss()(MASKS, np.ones((2, 7, 6, 3), "float32"))


def test_pixels_that_nobody_labeled_do_not_count():
    """They are background to their neighbors, and nothing by themselves."""
    loss = SaliencyLoss(3, ignore_class=255, reduction=None)
    unknown = RNG.random(MASKS.shape) < 0.3
    given = np.where(unknown, 255, MASKS)
    other = np.where(unknown[..., None], 9, LOGITS)
    found = loss(given, LOGITS)
    assert_close(found, loss(given, other.astype("float32")))
    expected = []
    for mask, logits, away in zip(np.where(unknown, 0, MASKS), LOGITS, unknown):
        around = np.pad(mask.astype("float64"), 1)
        windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3))
        w = (1 + 5 * abs(windows.mean((2, 3)) - mask)) * ~away
        p = 1 / (1 + np.exp(-logits[..., 0].astype("float64")))
        entropy = -(w * np.log(np.where(mask, p, 1 - p))).sum() / w.sum()
        both, either = (w * p * mask).sum(), (w * (p + mask - p * mask)).sum()
        expected.append(entropy + 1 - (both + 1) / (either + 1))
    assert_close(found, np.array(expected, "float32"))
    nothing = loss(np.full_like(MASKS, 255), LOGITS)
    assert_close(nothing, np.zeros(2, "float32"))
