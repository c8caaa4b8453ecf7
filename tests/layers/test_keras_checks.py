"""Keras' own layer test, a second opinion beside the contract."""

import pytest
from keras.src.testing import TestCase

from keras_fusion import layers
from tests.layers.attention import mixing_cases

SHAPES = ((2, 3, 4), (2, 3, 4))
# JAX compiles the longest, and traces what the contract already traced there.
pytestmark = pytest.mark.only_on("tensorflow", "torch", reason="the same check")

CONFIGURED = {
    "AdaptiveWeighting": {"gate": "softmax", "units": 5},
    "BottleneckAttention": {"num_heads": 2, "stochastic_depth": 0.5},
    "CrossAttention": {"num_heads": 2, "dropout": 0.5, "readout": "max"},
    "ModalityAttention": {"num_heads": 2, "readout": "token", "dropout": 0.5},
    "ModalityDropout": {"rate": 0.5},
    "ModalityTransformer": {"num_heads": 2, "readout": "sum", "dropout": 0.5},
    "ScalarWeighting": {"per": "element", "constraint": "convex"},
}


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")  # by the test itself
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("name", [*sorted(layers.operators()), "ModalityDropout"])
def test_keras_own_layer_test(name):
    layer, config = getattr(layers, name), CONFIGURED.get(name, {})
    fuses = name in layers.operators()
    shape = (2, 3, 4)
    if fuses:
        shape = layer(**config).compute_output_shape(SHAPES)
    TestCase().run_layer_test(
        layer,
        init_kwargs=config,
        input_shape=SHAPES,
        expected_output_shape=shape if fuses else ([shape, shape], (2, 2)),
        supports_masking=True,
        run_training_check=fuses,  # else the output is partly boolean
    )


ONE_TENSOR = [name for name, variants in mixing_cases.MIXING.items() if variants[0][0]]


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
@pytest.mark.parametrize("name", ONE_TENSOR)
def test_keras_own_layer_test_of_one_tensor(name):
    axes, config = mixing_cases.MIXING[name][0]
    layer = getattr(layers, name)
    TestCase().run_layer_test(
        layer,
        init_kwargs=config,
        input_shape=mixing_cases.SHAPES[axes],
        expected_output_shape=layer(**config).compute_output_shape(
            mixing_cases.SHAPES[axes]
        ),
        supports_masking=True,
    )
