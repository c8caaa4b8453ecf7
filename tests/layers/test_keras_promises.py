"""What Keras promises for a Dense holds for every layer of the library."""

import keras
import pytest

from keras_fusion import layers
from tests.conftest import assert_close
from tests.layers.cases import WIDTH, each_operator, modalities


@pytest.mark.only_on("torch", reason="Keras counts weights alike on each backend")
@each_operator
def test_a_frozen_operator_has_nothing_to_train(name):
    op = layers.get(name)(units=6)
    inputs = modalities(2, shape=(2, 3, WIDTH))
    op(inputs)
    trained = len(op.trainable_weights)
    op.trainable = False
    assert not op.trainable_weights
    op.trainable = True
    assert len(op.trainable_weights) == trained == len(op.weights)


@each_operator
def test_an_operator_called_twice_has_its_weights_once(name):
    op = layers.get(name)(units=6)
    first, second = (modalities(2, (2, 3, WIDTH), seed=s) for s in (1, 2))
    inputs = [keras.Input((3, WIDTH)) for _ in range(4)]
    model = keras.Model(inputs, [op(inputs[:2]), op(inputs[2:])])
    assert len(model.weights) == len(op.weights)
    together = model([*first, *second])
    for y, own in zip(together, (first, second), strict=True):
        assert_close(y, op(own))


@each_operator
def test_a_clone_has_weights_of_its_own(name):
    inputs = [keras.Input((3, WIDTH), name=f"x{m}") for m in range(2)]
    inner = keras.Model(inputs, layers.get(name)(units=6, name="fusion")(inputs))
    model = keras.Model(inputs, inner(inputs))  # a model inside a model
    clone = keras.models.clone_model(model)
    assert [w.path for w in clone.weights] == [w.path for w in model.weights]
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    clone.set_weights(model.get_weights())
    x = modalities(2, shape=(2, 3, WIDTH))
    assert_close(clone(x), model(x))
