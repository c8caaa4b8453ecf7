"""Numbers at the ends of what computers hold: a model's are finite, or it says no."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import datasets, zoo
from keras_fusion.common.gradients import with_gradients
from keras_fusion.common.names import MASK
from keras_fusion.datasets.arrays import as_modalities
from keras_fusion.datasets.standardization import measure
from tests.conftest import to_numpy
from tests.zoo.every_builder import built, each_builder, with_others
from tests.zoo.samples import draw

LARGEST = np.finfo("float32").max
CASES = {
    "1e30": lambda x: x * np.float32(1e30),
    "the largest": lambda x: np.sign(x) * LARGEST,
    "denormals": lambda x: x * np.float32(1e-40),
    "squares that are 0": lambda x: x.astype("float64") * 1e-200,
    "all the same": np.ones_like,
    "far from 0": lambda x: np.float32(1e7) + x,
}


def predicted(model, inputs):
    """What it answers, compiled where that is faster."""
    model.run_eagerly = keras.backend.backend() != "jax"
    return to_numpy(model.predict_on_batch(with_others(model, inputs)))


def stepping(model, shapes):
    """A function from inputs and mask to all outputs and gradients, in training."""

    def function(arrays, **others):
        inputs = dict(zip(shapes, arrays, strict=True))
        tensors = {m: ops.convert_to_tensor(x) for m, x in others.items()}
        outputs = model(inputs | tensors, training=True)
        return ops.sum(outputs[..., 0]), outputs

    run = with_gradients(function, model.trainable_variables)

    def step(inputs, mask=None):
        others = with_others(model, inputs, mask)
        arrays = [others.pop(m) for m in shapes]
        outputs, gradients = run(arrays, **others)
        return [to_numpy(outputs), *gradients]

    return step


def are_finite(arrays):
    return all(np.isfinite(x).all() for x in arrays)


@each_builder
def test_what_a_model_trains_on_gives_finite_numbers(name):
    model, shapes = built(name)
    step = stepping(model, shapes)
    for case, change in CASES.items():
        raw = {m: change(x) for m, x in draw(shapes, rows=4).items()}
        raw = as_modalities(raw, "it")
        inputs, _ = datasets.standardize(raw, measure(raw))
        assert are_finite(step(inputs)), case
    inputs = draw(shapes, rows=4)
    inputs["a"][:] = np.nan
    if MASK in model.input:  # a modality that is in no row
        assert are_finite(step(inputs, np.array([[False, True]] * 4)))
    with pytest.raises(datasets.DataError, match="'a' is NaN in every training row"):
        measure(inputs)


@pytest.mark.slow
@each_builder
def test_one_row_of_one_class_of_a_thousand(name):
    model, shapes = built(name, classes=1000)
    rows = 2 if name == "GraphNodeClassifier" else 1
    inputs = draw(shapes, rows=rows)
    logits = name == "MutualFormerSegmenter"
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(logits))
    outputs = predicted(model, inputs)
    labels = np.full(outputs.shape[:-1], 999)
    loss = model.train_on_batch(with_others(model, inputs), labels)
    assert are_finite([outputs, loss, *model.get_weights()])


@each_builder
def test_what_float16_does_not_hold_spoils_its_row_alone(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, shapes = built(name)
    finally:
        keras.config.set_dtype_policy(before)
    inputs = draw(shapes, rows=4)
    for x in inputs.values():
        x[0] *= 1e6
        x[3] *= 300
    outputs = predicted(model, inputs)
    assert are_finite([outputs[2:]])
    assert zoo.builders()[name].record.independent_rows <= are_finite([outputs[1:]])
    assert are_finite([outputs[0]]) or np.isnan(outputs[0]).any()


@pytest.mark.parametrize("number", [np.inf, -np.inf, 1e39])
def test_what_float32_does_not_hold_is_refused(number):
    x = np.array([[1.0], [number]])
    with pytest.raises(datasets.DataError, match="expected finite float32 numbers"):
        as_modalities({"a": x}, "it")
