"""Names of weights: the same in every model of the same arguments."""

import pytest

from keras_fusion import zoo
from tests.zoo.samples import SHAPES

IMAGES = {"a": (32, 32, 3), "b": (32, 32, 1)}
CLIPS = {"a": (4, 8, 8, 1), "b": (4, 8, 8, 2)}
GIVEN = {"pose": [{"class_name": "Dense", "config": {"units": 8}}]}
BUILT = {
    "EvidentialClassifier": {"input_shapes": SHAPES, "encoders": GIVEN},
    "FusionClassifier": {"input_shapes": SHAPES, "encoders": GIVEN, "depth": 2},
    "GraphNodeClassifier": {"input_shapes": {"a": 4, "b": 3}},
    "LateFusionClassifier": {"input_shapes": SHAPES},
    "MultimodalTransformer": {"input_shapes": {"a": (4, 3), "b": (None, 2)}},
    "MutualFormerClassifier": {"input_shapes": IMAGES},
    "MutualFormerSegmenter": {"input_shapes": IMAGES},
    "TwoStreamVideoClassifier": {"input_shapes": CLIPS, "lateral": True},
    "UnimodalClassifier": {"input_shapes": {"rgb": (8, 8, 2)}},
}


@pytest.mark.parametrize("name", sorted(zoo.builders()))
def test_a_model_built_twice_has_the_same_paths(name):
    def weights():
        model = zoo.builders()[name](**BUILT[name], classes=3, units=8)
        return [weight.path for weight in model.weights]

    paths = weights()
    assert paths == weights()
    assert len(set(paths)) == len(paths)
