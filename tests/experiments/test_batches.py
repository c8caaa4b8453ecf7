import keras
import numpy as np
import pytest

from keras_fusion.datasets import Split
from keras_fusion.experiments.batches import Batches, model_inputs


def model(*names, mask=True):
    inputs = {name: keras.Input((1,), name=name) for name in names}
    if mask:
        inputs["modality_mask"] = keras.Input((len(names),), name="modality_mask")
    return keras.Model(inputs, inputs[names[0]])


def numbered(rows=10):
    column = np.arange(rows, dtype="float32")[:, None]
    return Split({"a": column, "b": -column}, np.arange(rows))


def epoch(batches, number):
    batches.epoch = number
    return [batches[i] for i in range(len(batches))]


def order(batches, number):
    return [row for _, labels in epoch(batches, number) for row in labels]


def test_rows_stay_together_and_come_once():
    batches = Batches(numbered(), model("a", "b"), 3, seed=0)
    for inputs, labels in epoch(batches, 0):
        assert len(labels) == 3
        np.testing.assert_array_equal(inputs["a"][:, 0], labels)
        np.testing.assert_array_equal(inputs["b"][:, 0], -labels)
    assert len(set(order(batches, 0))) == 9


def test_seed_and_epoch_decide_the_order():
    first, other = (Batches(numbered(), model("a"), 3, seed) for seed in (0, 1))
    again = Batches(numbered(), model("a"), 3, 0)
    assert order(first, 5) == order(again, 5)
    assert order(first, 5) != order(first, 6)
    assert order(first, 5) != order(other, 5)
    left_out = {(set(range(10)) - set(order(first, n))).pop() for n in range(40)}
    assert left_out == set(range(10))


def test_few_rows_are_one_batch():
    assert len(Batches(numbered(4), model("a"), 32, seed=0)) == 1


def test_the_mask_is_of_the_models_modalities():
    inputs = {name: np.ones((2, 1), "float32") for name in "abc"}
    inputs["c"][1] = np.nan
    taken = model_inputs(model("c", "a"), inputs)
    assert set(taken) == {"a", "c", "modality_mask"}
    np.testing.assert_array_equal(taken["modality_mask"], [[1, 1], [0, 1]])
    assert list(model_inputs(model("b", mask=False), inputs)) == ["b"]
    with pytest.raises(ValueError, match=r"missing \['d'\]"):
        model_inputs(model("a", "d"), inputs)
