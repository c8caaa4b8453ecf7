import hashlib

import keras
import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets.builtin import mfeat

DATA = datasets.load("mfeat", scale="feature")


def test_is_what_was_published():
    assert "mfeat" in datasets.names()
    assert DATA.input_shapes == {m: (width,) for m, width in mfeat.WIDTHS.items()}
    assert DATA.classes == 10 and DATA.class_names == tuple("0123456789")
    assert [len(part.labels) for part in (DATA.train, DATA.validation, DATA.test)] == [
        1280,
        320,
        400,
    ]
    assert DATA.notes == ()


def test_is_standardized_by_the_training_rows_alone():
    raw = mfeat.read().inputs["kar"].astype("float64")
    kar = DATA.train.inputs["kar"]
    assert kar.dtype == np.float32 and DATA.train.labels.dtype == np.int32
    np.testing.assert_allclose(kar.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(kar.std(axis=0), 1, rtol=1e-5)
    mean, std = DATA.statistics["kar"]
    np.testing.assert_allclose(
        DATA.test.inputs["kar"],
        (raw[~mfeat.read().is_train] - mean) / std,
        rtol=1e-5,
        atol=1e-6,
    )


def test_seed_moves_validation_and_never_the_test():
    mean, std = DATA.statistics["fou"]
    other = datasets.load("mfeat", scale="feature", seed=1)
    again = datasets.load("mfeat", scale="feature", seed=0)
    first, second = (raw(d, d.test) for d in (DATA, other))
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert np.abs(raw(DATA, DATA.validation) - raw(other, other.validation)).max() > 0.1
    np.testing.assert_array_equal(
        DATA.validation.inputs["fou"], again.validation.inputs["fou"]
    )


def test_validation_is_stratified():
    train = np.bincount(mfeat.read().labels[mfeat.read().is_train])
    expected = [round(n * 0.2) for n in train]
    assert np.bincount(DATA.validation.labels).tolist() == expected


def test_few_labels_leave_validation_and_test_alone_and_nest():
    ten, five = (datasets.load("mfeat", labels_per_class=n) for n in (10, 5))
    assert np.bincount(ten.train.labels).tolist() == [10] * 10
    for part in ("validation", "test"):
        np.testing.assert_allclose(
            raw(ten, getattr(ten, part)), raw(DATA, getattr(DATA, part)), atol=1e-5
        )
    assert len(rows(five)) == 50
    assert rows(five) < rows(ten) < rows(DATA)
    other = datasets.load("mfeat", labels_per_class=10, seed=1)
    assert rows(other) != rows(ten)


@pytest.mark.parametrize("count", [0, -1, 1000])
def test_impossible_few_labels(count):
    with pytest.raises(ValueError, match="mfeat: expected .*labels_per_class"):
        datasets.load("mfeat", labels_per_class=count)


def test_a_changed_file_is_refused(tmp_path):
    copy = tmp_path / "mfeat.npz"
    copy.write_bytes(mfeat.FILE.read_bytes() + b"x")
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=digest):
        mfeat.read(copy)


@pytest.mark.parametrize("name", ["mfaet", "zip:mfeat", "json:rows.json", ""])
def test_unknown_data_set(name):
    with pytest.raises(
        ValueError, match="expected mfeat, .*npz:FILE, csv:FILE"
    ) as error:
        datasets.load(name)
    assert ("closest is 'mfeat'" in str(error.value)) == (
        name in ("mfaet", "zip:mfeat")
    )


def test_splits_go_into_fit_as_they_are():
    inputs = {m: keras.Input(shape, name=m) for m, shape in DATA.input_shapes.items()}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    model = keras.Model(inputs, keras.layers.Dense(DATA.classes)(joined))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(*DATA.train, validation_data=tuple(DATA.validation), epochs=5, verbose=0)
    assert model.evaluate(*DATA.test, verbose=0)[1] > 0.9


def raw(data, part, modality="fou"):
    mean, std = data.statistics[modality]
    return part.inputs[modality] * std + mean


def rows(data):
    """The numbers of the training rows in the file."""
    kept, everything = raw(data, data.train, "kar"), mfeat.read().inputs["kar"]
    distances = np.abs(kept[:, None, :8] - everything[:, :8]).sum(axis=-1)
    return set(distances.argmin(axis=1).tolist())


def test_the_last_run_trains_on_what_validated():
    few = datasets.load("mfeat", labels_per_class=5, train_on_validation=True)
    assert len(few.train.labels) == 50 + 320
    np.testing.assert_array_equal(few.train.labels[50:], few.validation.labels)
    np.testing.assert_array_equal(few.test.labels, DATA.test.labels)
    kar = few.train.inputs["kar"]
    np.testing.assert_allclose(kar.mean(axis=0), 0, atol=1e-5)
