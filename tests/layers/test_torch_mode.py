"""Layers follow torch's `train()` and `eval()` where `training` is not given."""

import inspect

import keras
import numpy as np
import pytest
from keras import tree

from keras_fusion import layers
from tests.conftest import to_numpy
from tests.layers.cases import draw, randomize

pytestmark = pytest.mark.only_on("torch", reason="about torch modules")

TOKENS = [draw(4, 5, 4, seed=m) for m in range(2)]
RANDOM = {  # every layer that draws in training, and what it is called with
    "BottleneckAttention": ({"dropout": 0.5}, TOKENS),
    "CrossAttention": ({"dropout": 0.5}, TOKENS),
    "CrossDiffusionAttention": ({"dropout": 0.5}, TOKENS),
    "GatedCrossAttention": ({"dropout": 0.5, "queries": "all"}, TOKENS),
    "GraphAttention": ({"units": 3, "dropout": 0.5}, draw(4, 5)),
    "JointAttention": ({"dropout": 0.5}, TOKENS),
    "JointHeatmaps": ({"jitter": 0.5}, draw(4, 5, 3, 2)),
    "LatentAttention": ({"dropout": 0.5}, TOKENS),
    "ModalityAttention": ({"dropout": 0.5}, TOKENS),
    "ModalityCorruption": ({"rate": 0.9, "kinds": ["noise"]}, TOKENS),
    # so many samples that two draws of which modality stays cannot be equal
    "ModalityDropout": ({"rate": 0.9}, [draw(64, 2, 4, seed=m) for m in range(2)]),
    "ModalityTransformer": ({"dropout": 0.5}, TOKENS),
    "MutualFormerBlock": ({"dropout": 0.5}, TOKENS),
    "ReleasedMutualFormerBlock": ({"stochastic_depth": 0.5}, TOKENS),
    "ResidualMLP": ({"dropout": 0.5}, TOKENS[0]),
    "SequenceJitter": ({}, draw(4, 5, 3)),
    "TokenAttention": ({"dropout": 0.5}, TOKENS[0]),
    "TokenConvolution": ({"dropout": 0.5}, TOKENS[0]),
    "VideoJitter": ({}, draw(4, 5, 6, 6, 1)),
}
EDGES = {"edge_index": np.array([[0, 1, 2, 3], [1, 2, 3, 0]])}


def differs(call):
    first, second = (
        [to_numpy(x) for x in tree.flatten(call()) if "bool" not in str(x.dtype)]
        for _ in range(2)
    )
    return any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_a_layer_follows_the_mode_of_its_module(name):
    import torch

    config, inputs = RANDOM[name]
    layer = getattr(layers, name)(**config)
    options = EDGES if name == "GraphAttention" else {}
    module = torch.nn.ModuleDict({"layer": layer})

    def call(**kwargs):
        return module["layer"](inputs, **options, **kwargs)

    assert not differs(call)  # nobody said anything: Keras' rule
    randomize(layer)  # what begins at zero would hide the draws
    module.train()
    assert differs(call)
    assert not differs(lambda: call(training=False))
    module.eval()
    assert not differs(call)
    assert differs(lambda: call(training=True))


def test_every_random_layer_is_tried():
    random = {
        name
        for name in layers.__all__
        if "training" in inspect.signature(getattr(layers, name).call).parameters
    }
    quiet = {name for name, op in layers.operators().items() if not seeded(op)}
    learned = {"EvidentialFusion"}  # counts its steps in training
    assert random - quiet - learned - {"Fusion"} == set(RANDOM)


def seeded(op):
    return "seed" in op().get_config()


def test_inside_a_keras_model_the_rule_of_keras_holds():
    inputs = [keras.Input((5, 4)) for _ in TOKENS]
    model = keras.Model(inputs, layers.ModalityAttention(dropout=0.5)(inputs))
    model.compile("sgd", "mse")
    model.fit(TOKENS, TOKENS[0], verbose=0)  # calls train()
    assert not differs(lambda: model(TOKENS))
    assert differs(lambda: model(TOKENS, training=True))
