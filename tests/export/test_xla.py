import keras
import numpy as np
import pytest

from keras_fusion.export import saved_model, signature
from keras_fusion.export.preparing import prepared
from tests.export.models import CLASS_NAMES, samples

pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("tensorflow", reason="TensorFlow compiles it"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A model of half precision, and its SavedModel with two compiled batch sizes."""
    folder = tmp_path_factory.mktemp("xla")
    pose = keras.Input((3,), name="pose")
    hidden = keras.layers.Dense(4, "tanh", dtype="mixed_bfloat16")(pose)
    head = keras.layers.Dense(2, name="scores", dtype="mixed_bfloat16")
    model = prepared(keras.Model({"pose": pose}, head(hidden)))
    saved_model.write(model, folder, labels=CLASS_NAMES, xla_batches=(4, 2))
    return model, folder


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])  # in the buckets and beyond
def test_padded_batches_give_the_models_numbers(written, rows):
    model, folder = written
    inputs = {"pose": samples(rows)["pose"]}
    answered = signature(folder)(inputs)
    expected = model.predict(inputs, verbose=0)
    assert answered["scores"].dtype == expected.dtype == np.float32
    np.testing.assert_allclose(answered["scores"], expected, atol=1e-6)
    assert answered["classes"].tolist() == [CLASS_NAMES[i] for i in expected.argmax(1)]


def test_xla_must_compile_it(written):
    assert b"_XlaMustCompile" in (written[1] / "saved_model.pb").read_bytes()
