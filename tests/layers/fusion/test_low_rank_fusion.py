import keras
import numpy as np
import pytest

from keras_fusion.layers import LowRankFusion, TensorFusion
from tests.conftest import assert_close, to_numpy
from tests.layers.cases import draw, randomize
from tests.layers.reference import dense, float64
from tests.layers.token_sets import built

THERE = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1]], bool)
FORMS = {
    "LMF": {"rank": 3},
    "MLB": {"rank": 1, "activation": "tanh", "intermediate_dim": 6},
    "MFB": {"rank": 3, "use_bias": False, "normalize": True},
}


def oracle(op, vectors):
    """`y` of one sample that has these vectors, by modality."""
    width = op.intermediate_dim or op.units
    total = np.zeros(width)
    for r in range(op.rank):
        product = np.ones(width)
        for m, x in vectors.items():
            factor = dense(op.factors[m], x)[r * width : (r + 1) * width]
            product = product * (np.tanh(factor) if op.activation else factor)
        total += product
    if op.normalize:
        total = np.sign(total) * np.sqrt(np.abs(total))
        total /= np.sqrt(np.sum(total**2))
    if op.output_dense:
        return dense(op.output_dense, total)
    return total + (float64(op.bias) if op.use_bias else 0)


@pytest.mark.parametrize("form", FORMS)
def test_numbers(form):
    inputs = [draw(3, width, seed=m) for m, width in enumerate((5, 4, 3))]
    op = built(LowRankFusion, inputs, units=4, **FORMS[form])
    fused = op(inputs, modality_mask=THERE)
    for b, there in enumerate(THERE):
        vectors = {m: float64(inputs[m][b]) for m in np.flatnonzero(there)}
        assert_close(fused[b], oracle(op, vectors))


def test_it_begins_with_each_modality_by_itself():
    """A new layer takes a modality of zeros for one that is absent."""
    inputs = [draw(3, width, seed=m) for m, width in enumerate((5, 4, 3))]
    inputs[1] = inputs[1] * 0
    op = LowRankFusion(units=4, rank=3)
    there = np.array([[1, 0, 1]] * 3, bool)
    assert_close(op(inputs), op(inputs, modality_mask=there))
    assert np.abs(to_numpy(op([inputs[0], inputs[1], 0 * inputs[2]]))).min() > 0


@pytest.mark.parametrize("widths", [(3, 4), (2, 3, 4)])
def test_full_rank_is_the_tensor_fusion(widths):
    """One rank for each row of all modalities but the last, which holds the kernel."""
    inputs = [draw(3, width, seed=m) for m, width in enumerate(widths)]
    tensor = built(TensorFusion, inputs, units=5)
    *rows, last = (width + 1 for width in widths)
    rank = int(np.prod(rows))
    op = built(LowRankFusion, inputs, units=5, rank=rank)
    one_hots = np.eye(rank).reshape(*rows, rank)
    kernel = float64(tensor.output_dense.kernel).reshape(rank, last, 5)
    factors = []
    for m, row in enumerate(rows):
        others = tuple(n for n in range(len(rows)) if n != m)
        chosen = one_hots.sum(axis=others)  # (D_m + 1, R)
        factors.append(np.repeat(chosen[:, :, None], 5, axis=2).reshape(row, -1))
    factors.append(kernel.transpose(1, 0, 2).reshape(last, -1))
    for layer, factor in zip(op.factors, factors, strict=True):
        layer.kernel.assign(factor[:-1])
        layer.bias.assign(factor[-1])
    op.bias.assign(np.zeros(5))
    assert_close(op(inputs), tensor(inputs))


def test_mutan_is_a_setting():
    """`z = sum_r (tanh(q W_q) M_r) * (tanh(v W_v) N_r)`."""
    inputs = [draw(3, 6), draw(3, 5, seed=2)]
    towers = [built_dense(x, seed) for seed, x in enumerate(inputs)]
    streams = [tower(x) for tower, x in zip(towers, inputs, strict=True)]
    op = built(LowRankFusion, [to_numpy(x) for x in streams], rank=2, use_bias=False)
    q, v = (np.tanh(dense(t, float64(x))) for t, x in zip(towers, inputs))
    first, second = (float64(f.kernel).reshape(4, 2, 4) for f in op.factors)
    z = sum((q @ first[:, r]) * (v @ second[:, r]) for r in range(2))
    assert_close(op(streams), z)


def built_dense(x, seed):
    init = keras.initializers.RandomNormal(seed=seed)
    tower = keras.layers.Dense(4, "tanh", kernel_initializer=init)
    tower.build(x.shape)
    return tower


def test_all_factors_are_trained():
    inputs = [draw(4, 3), draw(4, 5, seed=2)]
    symbols = [keras.Input(x.shape[1:]) for x in inputs]
    op = LowRankFusion(units=4, rank=2)
    model = keras.Model(symbols, op(symbols))
    randomize(op)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = [to_numpy(f.kernel) for f in op.factors]
    model.fit(inputs, draw(4, 4, seed=3), verbose=0)
    for factor, old in zip(op.factors, before, strict=True):
        moved = to_numpy(factor.kernel) != old  # (D_m, R U)
        assert moved.any(axis=0).all()


def test_a_normalized_zero_has_a_finite_gradient():
    inputs = [np.zeros((2, 3), "float32")] * 2
    op = built(LowRankFusion, inputs, rank=2, use_bias=False, normalize=True)
    assert not float64(op(inputs)).any()


@pytest.mark.parametrize("use_bias, most", [(True, 4), (False, 3)])
def test_more_than_the_full_rank(use_bias, most):
    op = LowRankFusion(units=2, rank=most + 1, use_bias=use_bias)
    with pytest.raises(ValueError, match=f"rank of at most {most}.*rank={most + 1}"):
        op([draw(2, 3), draw(2, 5)])
    LowRankFusion(units=2, rank=most, use_bias=use_bias)([draw(2, 3), draw(2, 5)])
    LowRankFusion(units=2, rank=9, activation="tanh")([draw(2, 3), draw(2, 5)])
