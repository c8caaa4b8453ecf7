import keras
import numpy as np
import pytest

from keras_fusion.layers import SequenceJitter
from tests.conftest import assert_close, to_numpy

RAMP = np.tile(np.arange(21, dtype="float32")[:, None], (400, 1, 2))  # (400, 21, 2)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_at_inference_nothing_moves():
    assert_close(SequenceJitter()(RAMP), RAMP)


def test_time_moves_a_whole_sequence_alike():
    """The value of a ramp is its time."""
    times = to_numpy(SequenceJitter(0.2, 0, 0, seed=1)(RAMP, training=True))
    assert_close(times[..., 0], times[..., 1])
    assert times.min() >= 0 and times.max() <= 20  # held at both ends
    steps = np.diff(times[..., 0], axis=1)
    inner = (times[:, :-1, 0] > 0) & (times[:, 1:, 0] < 20)
    speeds = np.nanmedian(np.where(inner, steps, np.nan), axis=1)
    assert np.all(np.abs(speeds - 1) <= 0.2 + 1e-3)
    assert_close((steps - speeds[:, None])[inner], np.zeros(inner.sum()), "float16")
    middle = times[:, 10, 0]  # in the middle speed does not count
    assert np.all(np.abs(middle - 10) <= 0.2 * 21 + 1e-3)
    assert abs(np.corrcoef(middle, speeds)[0, 1]) < 0.2 and middle.std() > 1


def test_size_and_place_by_sequence_and_feature():
    moved = to_numpy(SequenceJitter(0, 0.3, 0.5, seed=1)(RAMP, training=True))
    steps = np.diff(moved, axis=1)
    assert_close(steps, np.repeat(steps[:, :1], 20, axis=1), "float16")
    factors, offsets = steps[:, 0].reshape(-1), moved[:, 0].reshape(-1)
    spread = 4 / np.sqrt(2 * len(factors))  # four standard errors, relative
    assert abs(factors.std() / 0.3 - 1) < spread and abs(factors.mean() - 1) < 0.06
    assert abs(offsets.std() / 0.5 - 1) < spread and abs(offsets.mean()) < 0.1
    assert abs(np.corrcoef(moved[:, 0].T)[0, 1]) < 0.2


def test_joints_move_as_their_numbers_in_one_row():
    joints = np.random.default_rng(0).normal(size=(4, 21, 5, 2)).astype("float32")
    moved = SequenceJitter(seed=1)(joints, training=True)
    flat = SequenceJitter(seed=1)(joints.reshape(4, 21, 10), training=True)
    assert_close(to_numpy(moved).reshape(4, 21, 10), flat)


def test_saved_in_half_precision(tmp_path):
    layer = SequenceJitter(seed=1, dtype="mixed_float16")
    x = keras.Input((21, 2))
    model = keras.Model(x, layer(x))
    model.save(tmp_path / "jitter.keras")
    loaded = keras.saving.load_model(tmp_path / "jitter.keras")
    moved = loaded(RAMP, training=True)
    assert keras.backend.standardize_dtype(moved.dtype) == "float16"
    assert np.isfinite(to_numpy(moved)).all()
    assert loaded.layers[1].get_config() == layer.get_config()


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"time": 1.0}, r"time to be in \[0, 1\)"),
        ({"scale": -1}, "scale to be 0 or more; received -1"),
        ({"offset": -0.1}, "offset to be 0 or more"),
    ],
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        SequenceJitter(**arguments)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_inputs_that_are_no_sequences():
    with pytest.raises(ValueError, match=r"sequences \(B, T, D\).*\(1, 5\)"):
        SequenceJitter()(np.zeros((1, 5)))
