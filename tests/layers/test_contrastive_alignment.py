import keras
import numpy as np
import pytest

from keras_fusion.layers import ContrastiveAlignment
from keras_fusion.ops import alignment_loss
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import float64

THERE = np.array([[1, 1], [1, 0], [0, 0], [1, 1]], bool)


def inputs():
    return [draw(4, 5), draw(4, 3, seed=2)]


def aligned(**config):
    layer = ContrastiveAlignment(units=6, **config)
    layer([x.astype("float32") for x in inputs()])
    return randomize(layer)


def test_numbers():
    layer, x = aligned(loss_weight=0.5), inputs()
    layer.log_scale.assign(1.3)
    y = layer(x, modality_mask=THERE)
    for m, (out, one) in enumerate(zip(y, x, strict=True)):
        projected = float64(one) @ float64(layer.projections[m].kernel)
        unit = projected / np.linalg.norm(projected, axis=-1, keepdims=True)
        assert_close(out, np.where(THERE[:, m, None], unit, 0))
    (loss,) = layer.losses
    assert_close(loss, 0.5 * to_numpy(alignment_loss(y, np.exp(1.3), THERE)))


def test_the_scale_is_one_by_the_temperature_and_limited():
    layer = ContrastiveAlignment(units=6, temperature=0.2)
    y = layer(inputs())
    assert_close(layer.losses[0], to_numpy(alignment_loss(y, 5.0)))
    layer.log_scale.assign(50.0)
    y = layer(inputs())
    assert_close(layer.losses[0], to_numpy(alignment_loss(y, 100.0)))


def test_all_absent_and_zeros_are_finite():
    layer = aligned()
    nothing = [np.full_like(x, np.nan) for x in inputs()]
    for y in layer(nothing, modality_mask=np.zeros((4, 2), bool)):
        assert not to_numpy(y).any()
    assert to_numpy(layer.losses[0]) == 0
    assert all(np.isfinite(to_numpy(y)).all() for y in layer([0 * x for x in inputs()]))


def test_it_trains_by_itself_and_is_saved(tmp_path):
    symbols = [keras.Input(x.shape[1:]) for x in inputs()]
    layer = ContrastiveAlignment(units=6, name="alignment")
    model = keras.Model(symbols, layer(symbols))
    model.compile("adam")
    before = model.get_weights()
    model.fit(inputs(), verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.any(old != new)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for a, b in zip(again(inputs()), model(inputs()), strict=True):
        assert_close(a, to_numpy(b))


@pytest.mark.parametrize(
    "bad",
    [{"units": 0}, {"temperature": 0.001}, {"temperature": "1"}, {"loss_weight": -1}],
)
def test_bad_arguments(bad):
    (name,) = bad
    with pytest.raises(ValueError, match=f"ContrastiveAlignment expects {name}"):
        ContrastiveAlignment(**bad)


@pytest.mark.parametrize("shapes", [[(4, 5)], [(4, 5), (4, 2, 3)], (4, 5)], ids=str)
def test_what_it_does_not_align(shapes):
    x = draw(*shapes) if isinstance(shapes, tuple) else [draw(*s) for s in shapes]
    with pytest.raises(ValueError, match="list of two or more tensors .B, D."):
        ContrastiveAlignment()(x)
