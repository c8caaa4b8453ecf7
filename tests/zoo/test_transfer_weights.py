import numpy as np
import pytest

from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import randomize

pytestmark = pytest.mark.only_on("torch", reason="the layer is tested everywhere")


def model(side, **arguments):
    options = {"units": 4, "depth": 1, "readout": "token", "stem": "convolution"}
    shapes = {"rgb": (side, side, 3), "depth": (side, side, 1)}
    return zoo.MutualFormerClassifier(
        shapes, 2, fusion="JointAttention", **options | arguments
    )


def test_all_weights_are_the_same_but_for_the_places_of_the_map():
    small, large = randomize(model(8)), model(12)
    zoo.transfer_weights(large, small)
    moved = [
        own.path
        for own, old in zip(large.weights, small.weights, strict=True)
        if own.shape != old.shape or np.any(to_numpy(own) != to_numpy(old))
    ]
    assert moved == [f"{m}_positions/embeddings" for m in ("rgb", "depth")]
    places = large.get_layer("rgb_positions")
    assert places.grid == (3, 3)  # 12 pixels of 4 a token
    assert_close(places.embeddings, places.resampled(small.get_layer("rgb_positions")))


def test_another_model_is_refused_and_nothing_is_changed():
    small, other = model(8), model(8, units=6)
    before = other.get_weights()
    with pytest.raises(ValueError, match=r"rgb_stem_0/kernel .* the shape"):
        zoo.transfer_weights(other, small)
    with pytest.raises(ValueError, match="weights; received"):
        zoo.transfer_weights(other, model(8, depth=2))
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
