import copy
import pickle

import keras
import numpy as np
import pytest

from keras_fusion.datasets import Split
from keras_fusion.datasets.dataset import Raw
from keras_fusion.datasets.preparation import prepare

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 9, (60, 4))
PICTURES = RNG.integers(0, 256, (60, 3, 3, 1)).astype(np.uint8)
AGE = RNG.normal(size=(60, 1))
AGE[7] = np.nan
THERE = np.ones((60, 3), bool)
THERE[7, 2] = THERE[9, 0] = False


def data(**changes):
    raw = Raw(
        {"codes": CODES, "picture": PICTURES, "age": AGE},
        labels=np.arange(60) % 3,
        columns={"age": ("age",)},
        **changes,
    )
    return prepare("own", raw, scale={"codes": "none"})


def parts(dataset):
    return dataset.train, dataset.validation, dataset.test


def test_presence_is_decided_once_and_follows_the_rows():
    found = data(modality_mask=THERE)
    absent = sum((~part.modality_mask).sum(axis=0) for part in parts(found))
    assert absent.tolist() == [1, 0, 1]
    for part in parts(found):
        nan = np.isnan(part.inputs["age"]).all(axis=1)
        np.testing.assert_array_equal(part.modality_mask[:, 2], ~nan)
        assert part.modality_mask.shape == (len(part.labels), 3)
        assert part.inputs["codes"].dtype == CODES.dtype


def test_presence_is_found_by_nan():
    assert sum((~p.modality_mask).sum(axis=0) for p in parts(data())).tolist() == [
        0,
        0,
        1,
    ]
    split = Split({"a": np.array([[np.nan], [1.0]])}, np.zeros(2))
    assert split.modality_mask.tolist() == [[False], [True]]


def test_fewer_modalities_have_a_narrower_mask():
    found = data(modality_mask=THERE).only("age", "codes")
    assert list(found.input_shapes) == list(found.statistics) == ["codes", "age"]
    assert found.columns == {"age": ("age",)} and set(found.samples) == {"codes", "age"}
    absent = sum((~part.modality_mask).sum(axis=0) for part in parts(found))
    assert absent.tolist() == [1, 1]


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_data_sets_can_be_copied_and_pickled(again):
    first, second = data(), again(data())
    for a, b in zip(parts(first), parts(second), strict=True):
        for name, x in a.inputs.items():
            np.testing.assert_array_equal(x, b.inputs[name])
        np.testing.assert_array_equal(a.labels, b.labels)
    assert second.columns == first.columns and second.notes == first.notes


def test_splits_go_into_fit_and_predict():
    found = data().only("picture")
    inputs = {"picture": keras.Input((3, 3, 1), name="picture")}
    flat = keras.layers.Flatten()(inputs["picture"])
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(flat))
    model.compile(loss="sparse_categorical_crossentropy")
    model.fit(*found.train, validation_data=tuple(found.validation), verbose=0)
    assert model.predict(found.test.inputs, verbose=0).shape == (12, 3)


def test_the_target_of_a_regression():
    raw = Raw({"age": np.arange(60.0)[:, None]}, labels=100 + np.arange(60) / 7)
    found = prepare("own", raw)
    train = 7 * (found.train.labels.astype(float) - 100)
    assert found.target == pytest.approx((100 + train.mean() / 7, train.std() / 7))
    assert data().target is None


def test_samples_are_raw_rows_of_the_validation_part():
    found = data()
    mean, std = found.statistics["picture"]
    raw = found.validation.inputs["picture"] * std + mean
    np.testing.assert_allclose(found.samples["picture"], raw[:16], atol=1e-3)
    assert found.samples["picture"].dtype == np.uint8


def test_classes_of_few_rows_say_why_nothing_is_left():
    raw = Raw({"a": np.ones((5, 1)) * np.arange(5)[:, None]}, np.array(list("aabbc")))
    with pytest.raises(ValueError, match="leave none for validation, since .*'c' has"):
        prepare("own", raw)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_classes_of_one_to_three_rows_are_the_reason(count):
    labels = np.array(list("abc") * count)
    raw = Raw({"a": np.arange(float(len(labels)))[:, None]}, labels)
    with pytest.raises(ValueError, match=f"leave none for .*'a' has {count}"):
        prepare("own", raw)


def test_a_class_that_a_part_lacks_is_noted():
    labels = np.array(["a", "b"] * 20 + ["once", "twice", "twice"])
    inputs = {"a": np.arange(43.0)[:, None]}
    is_train = (labels != "once") & (np.arange(43) > 7)
    raw = Raw(inputs, labels, is_train)
    assert prepare("own", raw, scale="feature").notes == (
        "no training row is of class once, so no model learns it",
        "no validation row is of class once, twice, so it counts in no choice",
        "no test row is of class twice, so it is never judged",
    )
    raw = Raw(inputs, np.array(list("ab" * 21 + "a")))
    assert not prepare("own", raw, scale="feature").notes
