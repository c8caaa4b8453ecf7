"""Laws about names: of weights and sub-layers, in files, summaries and torch."""

import numpy as np
import pytest

from keras_fusion import layers
from tests.layers.attention.mixing_cases import MIXING, MIXING_CASES
from tests.layers.cases import CASES, VARIANTS, draw, query_for

SEQUENCE, CLIP, JOINTS = (2, 5, 4), (2, 3, 4, 4, 1), (2, 3, 5, 2)
COLUMNS = [{"codes": 3}, {"edges": [-1.0, 0.0]}, {"width": 2}]
OTHERS = {  # the layers that are neither operators nor mix positions
    "ColumnEmbedding": ({"columns": COLUMNS}, draw(2, 5)),
    "ClassToken": ({}, draw(*SEQUENCE)),
    "ContinuationRatio": ({"classes": 3}, draw(2, 4)),
    "ContrastiveAlignment": ({}, [draw(2, 4), draw(2, 3)]),
    "CumulativeLink": ({"classes": 3}, draw(2, 4)),
    "EvidentialFusion": ({}, [draw(2, 4), draw(2, 4)]),
    "JointHeatmaps": ({"jitter": 0.1}, draw(*JOINTS)),
    "ModalityCorruption": ({}, [draw(2, 4), draw(2, 3)]),
    "ModalityDropout": ({"rate": 0.5}, [draw(2, 4), draw(2, 3)]),
    "PositionEmbedding": ({}, draw(*SEQUENCE)),
    "ResidualMLP": ({"dropout": 0.5}, draw(*SEQUENCE)),
    "SinusoidalPositions": ({}, draw(*SEQUENCE)),
    "TokenAttention": ({"dropout": 0.5}, draw(*SEQUENCE)),
    "TokenConvolution": ({"dropout": 0.5}, draw(*SEQUENCE)),
    "TokenPooling": ({}, draw(*SEQUENCE)),
    "Standardization": ({"knots": 3}, draw(*SEQUENCE)),
    "SequenceJitter": ({}, draw(*SEQUENCE)),
    "VideoJitter": ({}, draw(*CLIP)),
}


def fusing(case, **config):
    def make(**kwargs):
        op = case.new(**config, **kwargs)
        inputs = case.inputs()
        op(inputs, **query_for(op, inputs))
        return op

    return make


def mixing(case):
    def make(**kwargs):
        layer = case.new(**kwargs)
        case.call(layer, case.inputs())
        return layer

    return make


def other(name, config, inputs):
    def make(**kwargs):
        layer = getattr(layers, name)(**config, **kwargs)
        layer(inputs)
        return layer

    return make


def extended(case):
    """Arguments by which the operator has all its parts: projections and dropout."""
    known = case.new().get_config()
    rates = {k: 0.5 for k in ("dropout", "stochastic_depth") if k in known}
    return {"units": 6} | rates


MAKERS = [
    *(pytest.param(fusing(c, **extended(c)), id=str(c)) for c in CASES),
    *(pytest.param(mixing(c), id=str(c)) for c in MIXING_CASES),
    *(pytest.param(other(n, *rest), id=n) for n, rest in OTHERS.items()),
]
each_layer = pytest.mark.parametrize("make", MAKERS)


def paths(layer):
    return [variable.path for variable in layer.variables]


def parts(layer):
    return [part.name for part in layer._flatten_layers(include_self=False)]


def test_every_layer_is_tried():
    assert {*VARIANTS, *MIXING, *OTHERS, "Fusion"} == set(layers.__all__)


@pytest.mark.only_on("torch", reason="no backend changes a name")
@each_layer
def test_a_layer_built_twice_has_the_same_names(make):
    """A name that Keras counts would be another one the second time."""
    first, second = make(name="fuse"), make(name="fuse")
    assert paths(first) == paths(second)
    assert parts(first) == parts(second)
    assert len(set(paths(first))) == len(paths(first))
    assert all(path.startswith("fuse/") for path in paths(first))


@pytest.mark.only_on("torch", reason="about torch modules")
@each_layer
def test_a_state_dict_loads_into_a_layer_of_the_same_configuration(make):
    first, second = make(name="fuse"), make(name="fuse")
    before = dict(first.state_dict())
    for module in first.modules():  # as DistributedDataParallel does
        list(module.parameters(recurse=False))
    assert first.state_dict().keys() == before.keys()
    second.load_state_dict(before)
    for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(np.array(a), np.array(b))
