import keras
import numpy as np
import pytest

from keras_fusion.layers import MutualFormerBlock, ReleasedMutualFormerBlock
from tests.conftest import assert_close, to_numpy
from tests.layers import reference
from tests.layers.cases import draw, modalities
from tests.layers.fusion import test_cross_diffusion_attention
from tests.layers.reference import dense, float64, layer_norm
from tests.layers.token_sets import built, token_sets

LENGTHS = test_cross_diffusion_attention.LENGTHS


def oracle(op, inputs, kept):
    """`H_m` `(M, B, T, U)`, and P `(B, T, U)` for a block that reads out."""
    normed = [layer_norm(norm, x) for norm, x in zip(op.norms, inputs, strict=True)]
    streams, _ = test_cross_diffusion_attention.oracle(op.diffusion, normed, kept)
    if op.readout is None:
        return streams, None
    y = dense(op.aggregation, np.concatenate(streams, axis=-1))
    y = y + dense(op.skip, np.concatenate(inputs, axis=-1))
    fused = y + reference.mlp(op.mlp, layer_norm(op.norm, y))
    return streams, fused * np.any(kept, axis=0)[..., None]


@pytest.mark.parametrize("count, steps", [(1, 1), (2, 1), (3, 2)])
def test_numbers(count, steps):
    inputs, masks, kept = token_sets(count, LENGTHS)
    if count == 1:
        masks["modality_mask"] = None
    known = [np.nan_to_num(float64(x)) for x in inputs]
    op = built(MutualFormerBlock, inputs, num_heads=2, steps=steps)
    assert_close(op(inputs, **masks), oracle(op, known, kept)[1])
    op = built(MutualFormerBlock, inputs, num_heads=2, steps=steps, readout=None)
    expected, _ = oracle(op, known, kept)
    there = np.any(kept, axis=0)[..., None]
    for z, x, h in zip(op(inputs, **masks), known, expected, strict=True):
        assert_close(z, there * (x + h))


def test_swapping_the_modalities_swaps_the_streams():
    inputs = modalities(2)
    op, back = (built(MutualFormerBlock, inputs, readout=None) for _ in range(2))
    for name in ("heads", "own", "others"):
        mine, theirs = (getattr(x.diffusion, name) for x in (op, back))
        for own, other in zip(mine, reversed(theirs), strict=True):
            other.set_weights(own.get_weights())
    for own, other in zip(op.norms, reversed(back.norms), strict=True):
        other.set_weights(own.get_weights())
    for z, z_0 in zip(op(inputs), back(inputs[::-1])[::-1], strict=True):
        assert_close(z, z_0)


def test_dropout_and_stochastic_depth_act_in_training_alone():
    inputs = modalities(2, (200, 2, 4))
    op = built(MutualFormerBlock, inputs, readout=None, stochastic_depth=0.5, seed=1)
    plain = [float64(z) for z in op(inputs)]
    for z, z_0, x in zip(op(inputs, training=True), plain, inputs, strict=True):
        skipped = np.all(np.isclose(float64(z), x, atol=1e-4), axis=(1, 2))
        doubled = np.all(
            np.isclose(float64(z), x + 2 * (z_0 - x), atol=1e-3), axis=(1, 2)
        )
        assert np.all(skipped ^ doubled)  # whole samples, and rescaled
        assert 60 < skipped.sum() < 140
    op = built(MutualFormerBlock, inputs, dropout=0.5, seed=1)
    moved = float64(op(inputs, training=True)) - float64(op(inputs))
    assert np.abs(moved).max() > 1e-2


@pytest.mark.parametrize("layer", [MutualFormerBlock, ReleasedMutualFormerBlock])
@pytest.mark.parametrize("seed", [0, 1])
def test_what_drops_draws_by_seeds_of_its_own(layer, seed):
    def drawn(seed):
        op = layer(dropout=0.5, stochastic_depth=0.5, seed=seed)
        op.build([(64, 5, 4)] * 2)
        layers = [op.diffusion.dropout_layer, *op.dropouts]
        ones = np.ones((64, 1, 1), "float32")
        return [to_numpy(x(ones, training=True)).ravel() for x in layers]

    masks = drawn(seed)
    assert len({tuple(mask) for mask in masks}) == 3
    np.testing.assert_array_equal(masks, drawn(seed))


@pytest.mark.only_on("torch", reason="what is shown is that the equations learn")
@pytest.mark.slow
def test_depth_four_trains():
    """Four blocks learn whether the second modality is the first or its negative."""
    keras.utils.set_random_seed(0)
    first, labels = draw(32, 2, 4), np.arange(32) % 2
    second = np.where(labels[:, None, None], first, -first)
    views = [keras.Input((2, 4)), keras.Input((2, 4))]
    streams = views
    for _ in range(3):
        streams = MutualFormerBlock(readout=None)(streams)
    pooled = keras.layers.GlobalAveragePooling1D()(MutualFormerBlock()(streams))
    model = keras.Model(views, keras.layers.Dense(1)(pooled))
    before = [np.array(w) for w in model.get_weights()]
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    inputs = [first, second.astype("float32")]
    history = model.fit(inputs, labels, epochs=40, batch_size=32, verbose=0)
    assert history.history["loss"][-1] < 0.2  # chance is 0.69
    for weight, old in zip(model.get_weights(), before, strict=True):
        assert np.abs(weight - old).max() > 1e-3
