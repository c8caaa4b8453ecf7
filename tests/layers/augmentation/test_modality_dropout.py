import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion.layers import ModalityDropout
from keras_fusion.testing.laws import fill_absent
from tests.conftest import to_numpy
from tests.layers.cases import draw, modalities, some_absent

SAMPLES = 4000


def ones(count, samples=SAMPLES):
    return [np.ones((samples, 1), "float32")] * count


def mask_of(layer, inputs, **kwargs):
    return ops.convert_to_numpy(layer(inputs, **kwargs)[1])


def test_the_rate():
    """With five modalities the rule about the last one hardly ever acts."""
    kept = mask_of(ModalityDropout(0.3, seed=1), ones(5), training=True)
    spread = 5 * np.sqrt(0.3 * 0.7 / SAMPLES)  # five standard errors
    expected = 0.3 - 0.3**5 / 5  # where all would go, one stays
    assert np.all(np.abs(1 - kept.mean(axis=0) - expected) < spread)


def test_samples_and_modalities_are_drawn_independently():
    dropped = ~mask_of(ModalityDropout(0.3, seed=1), ones(5), training=True)
    between = np.corrcoef(dropped, rowvar=False) - np.eye(5)
    assert np.all(np.abs(between) < 0.1)
    neighbors = np.corrcoef(dropped[:-1, 0], dropped[1:, 0])[0, 1]
    assert abs(neighbors) < 0.1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_last_one_present_stays(count):
    layer, there = ModalityDropout(0.95, seed=1), np.ones((SAMPLES, count), bool)
    there[: SAMPLES // 2, 1:] = False
    kept = mask_of(layer, ones(count), modality_mask=there, training=True)
    assert kept.any(axis=-1).all()
    assert not (kept & ~there).any()
    if count > 1:  # any of those present may be the last one
        assert kept[SAMPLES // 2 :].any(axis=0).all()
        assert (kept[SAMPLES // 2 :].sum(axis=-1) == 1).any()


def test_none_present_stays_none():
    there = np.zeros((3, 2), bool)
    kept = mask_of(ModalityDropout(0.5), ones(2, 3), modality_mask=there, training=True)
    assert not kept.any()


def test_dropped_and_absent_look_alike():
    inputs, there = modalities(3, (200, 2)), np.ones((200, 3), bool)
    there[:100, 0] = False
    layer = ModalityDropout(0.5, seed=1)
    inputs = fill_absent(inputs, there, np.nan)
    replaced, kept = layer(inputs, modality_mask=there, training=True)
    kept = ops.convert_to_numpy(kept)
    assert not kept[there].all()
    for m, (x, y) in enumerate(zip(inputs, replaced, strict=True)):
        expected = np.where(kept[:, m, None], x, 0)
        np.testing.assert_array_equal(to_numpy(y), expected)


@pytest.mark.parametrize("training", [None, False])
def test_at_inference_only_the_absent_are_replaced(training):
    inputs, there = [draw(3, 2), draw(3, 2, 2, 4)], some_absent(2)
    layer = ModalityDropout(0.9)
    plain, everything = layer(inputs, training=training)
    assert ops.convert_to_numpy(everything).all()
    replaced, kept = layer(
        fill_absent(inputs, there, np.nan), modality_mask=there, training=training
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), there)
    for y, x in zip(plain, inputs, strict=True):
        np.testing.assert_array_equal(to_numpy(y), x)
    for y, x in zip(replaced, fill_absent(inputs, there, 0), strict=True):
        np.testing.assert_array_equal(to_numpy(y), x)


def test_draws_differ_from_call_to_call_and_agree_by_seed():
    layer = ModalityDropout(0.5, seed=1)
    first, second = (mask_of(layer, ones(3), training=True) for _ in range(2))
    assert (first != second).any()
    again = mask_of(ModalityDropout(0.5, seed=1), ones(3), training=True)
    np.testing.assert_array_equal(first, again)


def test_in_a_functional_model(tmp_path):
    views = [keras.Input((2,)), keras.Input((3, 3, 4))]
    model = keras.Model(views, ModalityDropout(0.5, seed=1)(views))
    model.save(tmp_path / "dropout.keras")
    model = keras.saving.load_model(tmp_path / "dropout.keras")
    (x, _), kept = model([draw(500, 2), draw(500, 3, 3, 4)], training=True)
    assert tuple(x.shape) == (500, 2)
    assert 0.2 < ops.convert_to_numpy(kept)[:, 0].mean() < 0.8


@pytest.mark.parametrize("rate", [-0.1, 1, 2.0])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match=f"ModalityDropout expects a rate.*{rate}"):
        ModalityDropout(rate)


def test_who_calls_call_leaves_no_other_layer_in_training():
    """Keras keeps who is calling in the process; `call` alone does not end it."""
    layer, x = ModalityDropout(0.5, seed=1), draw(64, 3)
    layer.call([x])
    keras.layers.Dropout(0.5, seed=1)(x, training=True)
    assert np.array_equal(to_numpy(keras.layers.Dropout(0.5, seed=1)(x)), x)
