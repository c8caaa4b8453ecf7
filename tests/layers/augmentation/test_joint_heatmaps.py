import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.common.gradients import with_gradients
from keras_fusion.layers import JointHeatmaps
from tests.conftest import assert_close, to_numpy

SIZE = (5, 7)
EXTENT = (-1.0, 2.5, 2.0, -0.5)  # pixels of half a unit, y upwards


def draw(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 2, shape)


def oracle(joints, sigma, extent):
    """Pixel by pixel, in float64."""
    batch, frames, count, _ = joints.shape
    height, width = SIZE
    left, right, top, bottom = extent
    heat = np.zeros((batch, frames, height, width, count))
    for (b, t, i, j, k), _ in np.ndenumerate(heat):
        x, y, c = joints[b, t, k]
        u = (x - left) / (right - left) * width
        v = (y - top) / (bottom - top) * height
        squared = (j + 0.5 - u) ** 2 + (i + 0.5 - v) ** 2
        heat[b, t, i, j, k] = c * np.exp(-squared / (2 * sigma**2))
    return heat


@pytest.mark.parametrize("sigma", [0.6, 2.0])
def test_every_pixel(sigma):
    joints = draw(2, 3, 4, 3)
    layer = JointHeatmaps(SIZE, sigma, EXTENT)
    assert_close(layer(joints), oracle(joints, sigma, EXTENT).astype("float32"))
    sure = np.concatenate([joints[..., :2], np.ones((2, 3, 4, 1))], -1)
    expected = oracle(sure, sigma, EXTENT).astype("float32")
    assert_close(layer(joints[..., :2]), expected)


def test_the_box_of_the_clip_is_the_frame():
    """Whatever the unit, and with equal scales: the wider side fills its axis."""
    joints = draw(2, 3, 4, 2)
    low, high = joints.min((1, 2)), joints.max((1, 2))
    unit = (1.2 * (high - low) / (7, 5)).max(axis=-1)
    expected = []
    for clip, center, pixel in zip(joints, (low + high) / 2, unit):
        (x, y), half = center, np.array([7, 5]) * pixel / 2
        extent = (x - half[0], x + half[0], y - half[1], y + half[1])
        given = JointHeatmaps(SIZE, 1.0, extent)(clip[None])
        expected.append(to_numpy(given))
    layer = JointHeatmaps(SIZE, 1.0)
    assert_close(layer(joints), np.concatenate(expected))
    assert_close(layer(1000 * joints + 20), np.concatenate(expected), "float16")


def test_joints_outside_the_frame_and_unknown_ones():
    inside, near = (0.75, 0.75), (-1.25, 0.75)  # half a pixel beyond the left edge
    far, unknown = (90.0, 0.75), (np.nan, 0.75)
    joints = np.array([[[inside, near, far, unknown]]])
    heat = to_numpy(JointHeatmaps(SIZE, 0.6, EXTENT)(joints))
    assert heat[0, 0, 2, 3, 0] == 1  # the pixel of its center
    assert heat[0, 0, 2, 0, 1] == pytest.approx(np.exp(-1 / (2 * 0.6**2)), rel=1e-5)
    assert not heat[..., 2:].any()


@pytest.mark.parametrize("extent", [None, EXTENT])
def test_an_unknown_joint_moves_no_other_and_has_no_gradient(extent):
    joints = draw(2, 3, 4, 2).astype("float32")
    holed = joints.copy()
    holed[1, :, 2] = np.nan
    holed[0, 1, 3, 0] = np.inf
    layer = JointHeatmaps(SIZE, 1.0, extent)

    def probe(arrays):
        heat = layer(arrays[0])
        return ops.sum(heat * ops.arange(7, dtype="float32")[:, None]), heat

    heat, (gradient,) = with_gradients(probe, [])([holed])
    heat = to_numpy(heat)
    assert not heat[1, ..., 2].any() and not heat[0, 1, ..., 3].any()
    assert np.isfinite(heat).all() and np.isfinite(gradient).all()
    assert not gradient[1, :, 2].any() and gradient[1, :, 1].any()
    alone = layer(np.delete(joints[1:], 2, axis=2))
    assert_close(np.delete(heat[1:], 2, axis=-1), alone)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_clip_of_no_joint_and_of_one_place():
    none = to_numpy(JointHeatmaps(SIZE)(np.full((1, 2, 3, 2), np.nan)))
    assert not none.any()
    still = to_numpy(JointHeatmaps(SIZE)(np.full((1, 2, 3, 2), 7.0)))
    assert np.unravel_index(still[0, 0, ..., 0].argmax(), SIZE) == (2, 3)  # the middle


def test_frames_that_are_masked_move_no_others_and_have_no_heat():
    joints = 5 + draw(2, 4, 3, 2)
    joints[:, 2:] = 0  # padding
    mask = np.array([[True, True, False, False]] * 2)
    layer = JointHeatmaps(SIZE, 1.0)
    heat = to_numpy(layer(joints, mask=mask))
    assert not heat[:, 2:].any()
    assert_close(heat[:, :2], layer(joints[:, :2]))


def test_jitter_moves_whole_clips_in_training_only():
    joints = np.repeat(draw(1, 2, 3, 2), 50, axis=0)
    layer = JointHeatmaps((9, 9), 1.0, jitter=0.2, seed=1)
    plain = to_numpy(layer(joints))
    assert_close(plain, layer(joints, training=False))
    moved = to_numpy(layer(joints, training=True))
    assert len(np.unique(moved.round(4), axis=0)) == 50
    centers = (moved.sum((2, 4)) * np.arange(9)).sum(-1) / moved.sum((2, 3, 4))
    assert np.abs(centers - centers.mean(0)).max() < 0.2 * 9 + 1


def test_saved_in_half_precision_and_of_any_length(tmp_path):
    joints = keras.Input((None, 4, 2))
    layer = JointHeatmaps(SIZE, extent=EXTENT, dtype="mixed_float16")
    model = keras.Model(joints, layer(joints))
    assert model.output_shape == (None, None, *SIZE, 4)
    model.save(tmp_path / "heat.keras")
    loaded = keras.saving.load_model(tmp_path / "heat.keras")
    x = draw(2, 3, 4, 2).astype("float32")
    heat = loaded(x)
    assert keras.backend.standardize_dtype(heat.dtype) == "float16"
    assert_close(heat, to_numpy(JointHeatmaps(SIZE, extent=EXTENT)(x)), "float16")


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"size": (5,)}, r"size to be \(height, width\).*\(5,\)"),
        ({"size": (5, 0)}, "size to be"),
        ({"sigma": 0}, "sigma above 0"),
        ({"padding": -0.1}, "padding from 0"),
        ({"extent": (0, 1, 2, 2)}, "left, right, top, bottom"),
        ({"jitter": 1.0}, r"jitter to be in \[0, 1\)"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=f"JointHeatmaps expects.*{words}"):
        JointHeatmaps(**arguments)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_inputs_that_are_no_joints():
    with pytest.raises(ValueError, match=r"joints \(B, T, J, 2\).*\(1, 5, 60\)"):
        JointHeatmaps()(np.zeros((1, 5, 60)))
