import keras
import numpy as np
import pytest

from keras_fusion.layers import VideoJitter
from tests.conftest import assert_close, to_numpy

T, H, W = 9, 13, 17
PLACES = np.stack(np.meshgrid(*map(np.arange, (T, H, W)), indexing="ij"), axis=-1)
CLIPS = np.tile(PLACES.astype("float32"), (300, 1, 1, 1, 1))  # each pixel's own place
MIDDLE = (T // 2, H // 2, W // 2)


def jittered(**amounts):
    """Where every pixel of every clip was taken from."""
    amounts = {"time": 0, "zoom": 0, "shift": 0} | amounts
    return to_numpy(VideoJitter(**amounts, seed=1)(CLIPS, training=True))


def along(moved, axis):
    """Place along one axis, by clip and place there: the others do not matter."""
    line = [slice(None), *MIDDLE, axis]
    line[axis + 1] = slice(None)
    return moved[tuple(line)]


def inner_step(line, size):
    """The step between places that no edge holds, by clip."""
    steps = np.diff(line, axis=1)
    inside = (line[:, :-1] > 0) & (line[:, 1:] < size - 1)
    return np.nanmedian(np.where(inside, steps, np.nan), axis=1)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_at_inference_and_without_amounts_nothing_moves():
    assert_close(VideoJitter()(CLIPS[:2]), CLIPS[:2])
    assert_close(jittered()[:2], CLIPS[:2])


def test_time_moves_whole_clips_and_nothing_else():
    moved = jittered(time=0.2)
    assert_close(moved[..., 1:], CLIPS[..., 1:])
    assert (
        np.ptp(moved[..., 0], axis=(2, 3)).max() < 1e-4
    )  # all pixels of a frame alike
    times = along(moved, 0)
    speed, delay = inner_step(times, T) - 1, times[:, MIDDLE[0]] - MIDDLE[0]
    for found, most in ((speed, 0.2), (delay, 0.2 * T)):
        assert 0.9 * most < np.abs(found).max() < most + 1e-3
    assert abs(np.corrcoef(speed, delay)[0, 1]) < 0.2


def test_height_and_width_are_zoomed_alike_and_shifted_each_for_itself():
    moved = jittered(zoom=0.2, shift=0.1)
    assert_close(moved[..., 0], CLIPS[..., 0])
    down, right = along(moved, 1), along(moved, 2)
    zoom = inner_step(down, H)
    assert_close(zoom, inner_step(right, W), "float16")
    assert 0.18 < np.abs(zoom - 1).max() < 0.2 + 1e-3
    shifts = down[:, MIDDLE[1]] - MIDDLE[1], right[:, MIDDLE[2]] - MIDDLE[2]
    for shift, size in zip(shifts, (H, W)):
        assert 0.09 * size < np.abs(shift).max() < 0.1 * size + 1e-3
    assert abs(np.corrcoef(*shifts)[0, 1]) < 0.2
    assert moved.min() >= 0 and moved[..., 2].max() <= W - 1  # held at the edges


def test_saved_in_half_precision(tmp_path):
    layer = VideoJitter(seed=1, dtype="mixed_float16")
    x = keras.Input((T, H, W, 3))
    model = keras.Model(x, layer(x))
    model.save(tmp_path / "jitter.keras")
    loaded = keras.saving.load_model(tmp_path / "jitter.keras")
    moved = loaded(CLIPS[:4], training=True)
    assert keras.backend.standardize_dtype(moved.dtype) == "float16"
    assert np.isfinite(to_numpy(moved)).all()
    assert loaded.layers[1].get_config() == layer.get_config()


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("name", ["time", "zoom", "shift"])
def test_bad_arguments(name):
    with pytest.raises(ValueError, match=rf"{name} to be in \[0, 1\)"):
        VideoJitter(**{name: 1.0})


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_inputs_that_are_no_clips():
    with pytest.raises(ValueError, match=r"clips \(B, T, H, W, C\).*\(1, 5, 2\)"):
        VideoJitter()(np.zeros((1, 5, 2)))
