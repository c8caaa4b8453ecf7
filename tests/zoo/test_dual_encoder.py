import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.metrics import recall_at_k
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import MASK, SHAPES, absent_as, draw, randomize


def both(rows=96, seed=0):
    """Two modalities that show the same hidden numbers."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 3))
    maps = np.random.default_rng(5).normal(size=(2, 3, 8))
    return {
        name: (np.tanh(hidden @ maps[m])).astype("float32")
        for m, name in enumerate(("caption", "picture"))
    }


def test_modalities_of_every_rank_get_embeddings_of_length_one():
    model = zoo.DualEncoder(SHAPES, units=4)
    embeddings = randomize(model)(draw(SHAPES))
    assert set(embeddings) == set(SHAPES)
    for y in embeddings.values():
        assert tuple(y.shape) == (3, 4)
        assert_close(np.linalg.norm(to_numpy(y), axis=1), np.ones(3))


def test_it_learns_to_find_one_by_another():
    keras.utils.set_random_seed(0)
    model = zoo.DualEncoder({"caption": (8,), "picture": (8,)}, units=8)
    model.compile(keras.optimizers.Adam(0.01))
    held_out = both(seed=1)

    def recall():
        found = {m: to_numpy(y) for m, y in model(held_out).items()}
        return recall_at_k(found["caption"], found["picture"], (1, 5))

    before = recall()
    history = model.fit(both(), epochs=40, batch_size=32, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0] / 2
    assert recall()[5] > 0.6 > 3 * before[5]


def test_what_is_absent_has_no_influence(tmp_path):
    model = randomize(zoo.DualEncoder(SHAPES, units=4, modality_mask=True))
    x = draw(SHAPES, rows=4)
    outcomes = []
    for filler in (0, 1e6, np.nan):
        embeddings = model(absent_as(filler, x, MASK))
        outcomes.append(
            [*(to_numpy(embeddings[m]) for m in SHAPES), to_numpy(model.losses[0])]
        )
    for outcome in outcomes:
        for a, b in zip(outcome, outcomes[0], strict=True):
            np.testing.assert_array_equal(a, b)
    for y, there in zip(outcomes[0], MASK.T):
        np.testing.assert_array_equal(y.any(axis=1), there)
    path = str(tmp_path / "x.weights.h5")  # is the same with and without the mask
    model.save_weights(path)
    without = zoo.DualEncoder(SHAPES, units=4, weights=path)(
        {n: v[:1] for n, v in x.items()}
    )
    for m, own in zip(SHAPES, outcomes[0]):
        assert_close(without[m], own[:1])


def test_validation_has_a_loss_and_files_give_the_same(tmp_path):
    x = both(8)
    model = zoo.DualEncoder({"caption": (8,), "picture": (8,)}, units=4)
    model.compile("adam")
    history = model.fit(x, validation_data=(x,), verbose=0).history
    assert np.isfinite(history["val_loss"]).all() and history["val_loss"][0] > 0
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    for a, b in zip(again(x).values(), model(x).values(), strict=True):
        assert_close(a, to_numpy(b))


@pytest.mark.only_on("torch", reason="the layer is the same on every backend")
def test_training_corrupts_what_is_there():
    model = zoo.DualEncoder({"a": (4,), "b": (3,)}, units=4, modality_corruption=0.99)
    x = draw({"a": (4,), "b": (3,)}, rows=40)
    found, expected = (model(x, training=t) for t in (True, False))
    moved = [to_numpy(found[m]) != to_numpy(expected[m]) for m in "ab"]
    assert np.any(moved, axis=(0, 2)).mean() > 0.8


def test_one_modality_has_nothing_to_find():
    with pytest.raises(ValueError, match="two or more modalities"):
        zoo.DualEncoder({"caption": (8,)})
