"""Channels are last whatever Keras is set to."""

import keras
import pytest

from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import SHAPES, draw, randomize

PICTURES = {"rgb": (18, 20, 3), "depth": (18, 20, 1)}  # padded, then cropped


@pytest.fixture
def channels_first():
    yield lambda: keras.config.set_image_data_format("channels_first")
    keras.config.set_image_data_format("channels_last")


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "builder, shapes, config",
    [
        (zoo.FusionClassifier, SHAPES, {}),
        (zoo.MutualFormerClassifier, PICTURES, {}),
        (zoo.MutualFormerClassifier, PICTURES, {"stem": "convolution"}),
        (zoo.MutualFormerSegmenter, PICTURES, {}),
    ],
)
def test_the_same_model_of_the_same_weights(builder, shapes, config, channels_first):
    inputs, config = draw(shapes), config | {"units": 4, "encoder_depth": 1}
    model = randomize(builder(shapes, 3, **config))
    channels_first()
    other = builder(shapes, 3, **config)
    other.set_weights(model.get_weights())
    assert_close(other(inputs), to_numpy(model(inputs)))
