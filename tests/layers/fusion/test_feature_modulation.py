import numpy as np
import pytest

from keras_fusion.common.gradients import with_gradients
from keras_fusion.layers import FeatureModulation
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw
from tests.layers.reference import dense, float64
from tests.layers.test_contract import probe
from tests.layers.token_sets import built

THERE = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 1], [1, 0, 0]], bool)
FORMS = pytest.mark.parametrize("form", ["film", "mag"])


def vectors():
    return [draw(4, width, seed=m) for m, width in enumerate((5, 3, 4))]


def oracle(op, x, others):
    """`y` of one sample: the first modality, or None, and what the others say."""
    x = np.zeros(5) if x is None else x
    if op.form == "film":
        parts = [np.split(dense(op.modulations[m - 1], o), 2) for m, o in others]
        scale, shift = (sum((p[i] for p in parts), np.zeros(5)) for i in (0, 1))
        return (1 + scale) * x + shift
    h = np.zeros(5)
    for m, o in others:
        gate = np.maximum(dense(op.gates[m - 1], np.concatenate([x, o])), 0)
        h = h + gate * dense(op.modulations[m - 1], o)
    if not others or not x.any():
        return x + h
    ratio = op.max_shift * np.linalg.norm(x) / np.linalg.norm(h)
    return x + min(1, ratio) * h


@FORMS
@pytest.mark.parametrize("max_shift", [0.3, 20.0])
def test_numbers(form, max_shift):
    inputs = vectors()
    op = built(FeatureModulation, inputs, form=form, max_shift=max_shift)
    fused = op(inputs, modality_mask=THERE)
    for b, there in enumerate(THERE):
        first = float64(inputs[0][b]) if there[0] else None
        others = [(m, float64(inputs[m][b])) for m in (1, 2) if there[m]]
        assert_close(fused[b], oracle(op, first, others))


@FORMS
def test_it_begins_as_the_first_modality_alone(form):
    inputs = vectors()
    np.testing.assert_array_equal(
        to_numpy(FeatureModulation(form=form)(inputs)), inputs[0]
    )
    zeros = [np.zeros_like(inputs[0]), *inputs[1:]]
    assert not to_numpy(FeatureModulation(form=form)(zeros)).any()


@FORMS
def test_it_learns_from_there(form):
    inputs = vectors()
    op = FeatureModulation(form=form)
    op(inputs)
    kernels = [layer.kernel for layer in op.modulations]

    def total(arrays):
        fused = op(arrays)
        return probe([fused]), fused

    for first in (inputs[0], np.zeros_like(inputs[0])):
        _, found = with_gradients(total, kernels)([first, *inputs[1:]])
        assert all(np.isfinite(g).all() for g in found)
    _, found = with_gradients(total, kernels)(inputs)
    assert all(g.any() for g in found[3:])


def test_the_shift_is_limited():
    inputs = vectors()
    op = built(FeatureModulation, inputs, form="mag", max_shift=0.25)
    lengths = np.linalg.norm(float64(op(inputs)) - inputs[0], axis=-1)
    assert_close(lengths, 0.25 * np.linalg.norm(inputs[0], axis=-1))


def test_the_first_is_projected_where_its_width_is_another():
    inputs = vectors()
    op = built(FeatureModulation, inputs, units=6)
    first = dense(op.projection, float64(inputs[0]))
    scale, shift = np.split(
        sum(dense(d, float64(x)) for d, x in zip(op.modulations, inputs[1:])), 2, -1
    )
    assert_close(op(inputs), (1 + scale) * first + shift)
