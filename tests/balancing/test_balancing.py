"""Policies move gates under plain `fit`; their coefficients are the papers'."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.balancing import (
    Alternating,
    GradientModulation,
    Pretraining,
    Prioritizing,
    balanced,
)
from keras_fusion.balancing.gradient_gates import GradientGates
from keras_fusion.common.gradients import with_gradients
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import SHAPES, VECTORS, draw, randomize

LABELS = np.arange(6) % 3
POLICIES = {
    "modulation": GradientModulation(),
    "alternating": Alternating(),
    "prioritizing": Prioritizing(),
    "pretraining": Pretraining(2, 2),
}


def build(shapes=VECTORS, **kwargs):
    return randomize(
        zoo.FusionClassifier(shapes, 3, units=4, heads="average", dropout=0.0, **kwargs)
    )


def fitted(model, policy, shapes=VECTORS, steps=1, **kwargs):
    trained = balanced(model, policy)
    trained.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    for _ in range(steps):
        trained.train_on_batch(draw(shapes, rows=6), LABELS, **kwargs)
    return trained


def moved(model, before):
    """The modalities whose encoders moved."""
    names = [v.path for v, x in zip(model.weights, before) if np.any(to_numpy(v) != x)]
    return {m for m in VECTORS if any(n.startswith(f"{m}_projection") for n in names)}


def test_gates_scale_the_gradient_and_nothing_else():
    gates = GradientGates([0.0, 0.5, 1.0])

    def function(arrays):
        outputs = [gates(x, modality=m) for m, x in enumerate(arrays)]
        return sum(ops.sum(3 * x) for x in outputs), outputs

    arrays = [
        np.float32(np.random.default_rng(m).normal(size=(2, 4))) for m in range(3)
    ]
    outputs, gradients = with_gradients(function)(arrays)
    for x, y, gradient, scale in zip(arrays, outputs, gradients, (0, 0.5, 1)):
        np.testing.assert_array_equal(ops.convert_to_numpy(y), x)
        assert_close(gradient, np.full((2, 4), 3 * scale, "float32"))


@pytest.mark.parametrize("modalities", [2, 3, 8])
def test_modulation_is_the_papers(modalities):
    scores = np.random.default_rng(0).uniform(0.1, 1, modalities).astype("float32")
    found = GradientModulation(0.8).gates(0.0, ops.convert_to_tensor(scores))
    for m, s in enumerate(scores):
        ratio = s / np.delete(scores, m).mean()
        expected = 1 - np.tanh(0.8 * (ratio - 1)) if ratio > 1 else 1
        assert_close(found[m], np.array(expected, "float32"))


def test_turns_go_around():
    scores = ops.ones((3,))

    def gates(policy):
        return np.stack(
            [to_numpy(policy.gates(ops.cast(i, "float32"), scores)) for i in range(4)]
        )

    eye = np.eye(3)
    assert_close(gates(Alternating()), eye[[0, 1, 2, 0]])
    assert_close(gates(Alternating(steps=2)), eye[[0, 0, 1, 1]])
    priority = eye[[0, 1, 2, 0]] * 0.75 + 0.25
    assert_close(gates(Prioritizing(rest=0.25)), priority.astype("float32"))
    stages = gates(Pretraining(1, 2))
    assert_close(stages, np.array([[1], [0], [0], [1]]) * np.ones((1, 3)))
    first = ops.zeros(())
    assert float(Pretraining(1).losses(first, 3)[0]) == 0
    assert_close(Alternating().losses(first, 3)[1], eye[0])


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_encoder_learns_when_it_is_its_turn(steps):
    model = build(fusion="Concatenation")
    fitted(model, Alternating(), steps=steps - 1)
    trained = balanced(model, Alternating())
    gates = trained.get_layer("gradient_gates")
    gates.scale.assign(np.eye(3)[steps - 1])
    gates.step.assign(steps - 1)
    before = model.get_weights()
    trained.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    trained.train_on_batch(draw(VECTORS, rows=6), LABELS)
    assert moved(model, before) == {list(VECTORS)[steps - 1]}
    assert_close(gates.scale, np.eye(3)[steps % 3].astype("float32"))


def test_modulation_moves_its_gates_by_the_heads():
    model = build(fusion="Summation")
    alone = model.get_layer("predictions").input[1:]
    outputs = keras.Model(model.input, alone)(draw(VECTORS, rows=6))
    scores = [to_numpy(x)[np.arange(6), LABELS].mean() for x in outputs]
    expected = GradientModulation().gates(0.0, ops.convert_to_tensor(np.stack(scores)))
    trained = fitted(model, GradientModulation())
    assert_close(trained.get_layer("gradient_gates").scale, to_numpy(expected))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("fusion", ["ModalityTransformer", "GatedMultimodalUnit"])
def test_any_operator_and_any_modality_trains(policy, fusion):
    arguments = {"fusion": fusion, "depth": 2, "modality_mask": True}
    model = build(SHAPES, **arguments)
    trained = balanced(model, POLICIES[policy])
    trained.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    inputs = draw(SHAPES, rows=6) | {"modality_mask": np.eye(6, 4) < 1}
    before = model.get_weights()
    history = trained.fit(inputs, LABELS, epochs=5, batch_size=6, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert any(np.any(x != y) for x, y in zip(before, model.get_weights()))
    assert_close(trained(inputs), to_numpy(model(inputs)))
    assert not [x for x in model.layers if isinstance(x, GradientGates)]


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_modalities_of_any_name_are_balanced():
    shapes = {"rgb/left": (3,), "predictions": (4,), "size (cm)": (2,)}
    trained = fitted(build(shapes), GradientModulation(), shapes)
    assert list(trained.input) == list(shapes)


def test_without_heads_there_is_nothing_to_balance():
    with pytest.raises(ValueError, match='Build it with heads="train"'):
        balanced(zoo.FusionClassifier(VECTORS, 3), Alternating())
