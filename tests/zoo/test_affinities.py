import itertools

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import draw, randomize

SHAPES = {"image": (8, 8, 1), "audio": (8, 8, 1)}
FUSION = {"class_name": "MutualFormerBlock", "config": {"num_heads": 2, "epsilon": 0.3}}


def test_against_the_definition():
    model = randomize(
        zoo.MutualFormerClassifier(SHAPES, 3, fusion=FUSION, units=4, depth=1)
    )
    x = draw(SHAPES, rows=2)
    found = zoo.affinities(model, x)
    pairs = [("image", "audio"), ("audio", "image")]
    assert list(found) == [*SHAPES, *pairs]

    block = model.get_layer("fusion")
    own = []
    for m, name in enumerate(SHAPES):
        places = keras.Model(model.input, model.get_layer(f"{name}_positions").output)
        normed = to_numpy(block.norms[m](places(x))).astype("float64")
        kernel, bias = map(to_numpy, block.diffusion.heads[m].weights)
        q, k, _ = np.split(normed @ kernel + bias, 3, axis=-1)  # (B, T, 4)
        q, k = (np.stack(np.split(y, 2, axis=-1), axis=1) for y in (q, k))
        logits = np.exp(q @ np.swapaxes(k, -1, -2) / np.sqrt(2))
        own.append(logits / logits.sum(axis=-1, keepdims=True))  # (B, N, T, T)
    for name, p in zip(SHAPES, own, strict=True):
        assert_close(found[name], p.mean(axis=1))
    for pair, (p, q) in zip(pairs, (own, own[::-1]), strict=True):
        crossed = 0.3 * p @ np.swapaxes(q, -1, -2) + 0.7 * (p + q) / 2
        assert_close(found[pair], crossed.mean(axis=1))


def test_other_operators_have_none():
    model = zoo.MutualFormerClassifier(SHAPES, 3, fusion="JointAttention", units=4)
    with pytest.raises(ValueError, match="no MutualFormerBlock called 'fusion'"):
        zoo.affinities(model, draw(SHAPES))


def test_of_a_segmenter_that_takes_a_modality_mask():
    """Everything is present here, whatever the mask is there for."""
    shapes = {"rgb": (32, 32, 3), "depth": (32, 32, 1)}

    def build(**arguments):
        model = zoo.MutualFormerSegmenter(
            shapes, 1, fusion=FUSION, units=4, encoder_depth=0, **arguments
        )
        return randomize(model)

    x = draw(shapes, rows=2)
    plain = zoo.affinities(build(), x, "fusion_up_1")
    there = {"modality_mask": np.ones((2, 2), bool)}
    masked = zoo.affinities(build(modality_mask=True), x | there, "fusion_up_1")
    assert plain.keys() == masked.keys() == {*shapes, *itertools.permutations(shapes)}
    for key, rows in masked.items():
        assert_close(rows, plain[key])
    assert_close(masked["depth"].sum(axis=-1), np.ones((2, 16)))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_of_one_modality(masked, rows):
    shapes = {"image": SHAPES["image"]}
    options = {"fusion": FUSION, "units": 4, "depth": 1, "modality_mask": masked}
    model = randomize(zoo.MutualFormerClassifier(shapes, 3, **options))
    there = {"modality_mask": np.ones((rows, 1), bool)} if masked else {}
    found = zoo.affinities(model, draw(shapes, rows=rows) | there)
    assert list(found) == ["image"] and found["image"].shape == (rows, 4, 4)
    assert_close(found["image"].sum(axis=-1), np.ones((rows, 4)))
