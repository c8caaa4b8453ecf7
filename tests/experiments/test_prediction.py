import json

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.datasets.standardization import measure
from keras_fusion.experiments.prediction import class_names, modalities, predict
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, draw, randomize


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A deployable model and its file."""
    folder = tmp_path_factory.mktemp("model")
    model = randomize(
        zoo.FusionClassifier(
            VECTORS, 3, fusion="ModalityAttention", units=4, modality_mask=True
        )
    )
    served = zoo.deployable(model, measure(draw(VECTORS, rows=9)))
    served.save(folder / "model.keras")
    (folder / "classes.json").write_text(json.dumps(["x", "y", "z"]))
    return served, folder / "model.keras"


def test_raw_features_in_classes_out(saved):
    served, path = saved
    inputs = draw(VECTORS, seed=5)
    inputs["b"][0] = np.nan
    everything = {"modality_mask": np.ones((3, 3), bool)}
    outputs = predict(path, inputs)
    expected = served(inputs | everything)
    assert_close(outputs["probabilities"], expected["probabilities"])
    assert outputs["modality_weights"][0, 1] == 0
    assert class_names(path) == ["x", "y", "z"]
    assert modalities(path) == list(VECTORS)


def test_the_seconds_of_today_are_told_apart(tmp_path):
    """`keras.Model.predict` rounds what it is given to float32."""
    seconds = 1_700_000_000 + np.arange(40.0)[:, None]
    model = randomize(zoo.UnimodalClassifier({"a": (1,)}, 3, units=4))
    served = zoo.deployable(model, measure({"a": seconds}))
    served.save(tmp_path / "model.keras")
    answers = predict(tmp_path / "model.keras", {"a": seconds})["probabilities"]
    standard = (seconds - seconds.mean()) / seconds.std()
    assert_close(answers, model({"a": standard.astype("float32")}))


def test_a_modality_without_any_values_has_no_shape(saved):
    inputs = draw(VECTORS)
    outputs = predict(saved[1], inputs | {"c": np.full((3, 1), np.nan, "float32")})
    absent = predict(saved[1], inputs | {"c": np.full_like(inputs["c"], np.nan)})
    assert_close(outputs["probabilities"], absent["probabilities"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b": None}, r"inputs \['a', 'b', 'c'\]; received \['a', 'c'"),
        ({"d": np.ones((3, 1))}, "received .*'d'"),
        ({"b": np.ones((3, 4))}, r"'b' must have the shape \(None, 3\).*\(3, 4\)"),
        ({"b": np.ones((3, 1))}, r"'b' must have the shape"),  # would broadcast
        ({"b": np.ones((3, 3, 1))}, r"'b' must have the shape"),
        ({"b": np.ones((1, 3))}, "one batch size"),
    ],
)
def test_inputs_that_do_not_fit(saved, change, message):
    inputs = {k: x for k, x in (draw(VECTORS) | change).items() if x is not None}
    with pytest.raises(ValueError, match=message):
        predict(saved[1], inputs)


def test_files_that_are_no_model(saved, tmp_path):
    content = saved[1].read_bytes()
    broken = tmp_path / "broken.keras"
    for part in (b"", content[: len(content) // 2]):
        broken.write_bytes(part)
        with pytest.raises(ValueError, match="broken.keras is not a whole .keras file"):
            predict(broken, draw(VECTORS))
    with pytest.raises(ValueError, match="There is no model .*none.keras"):
        predict(tmp_path / "none.keras", draw(VECTORS))
    with pytest.raises(ValueError, match="none: expected a SavedModel"):
        predict(tmp_path / "none", draw(VECTORS))


def test_models_of_another_make(tmp_path):
    one = keras.Input((5,), name="a")
    others = [
        keras.Model(one, keras.layers.Dense(2)(one)),
        keras.Model({"a": one}, {"z": keras.layers.Dense(2)(one)}),
        zoo.UnimodalClassifier({"a": (5,)}, 3),
    ]
    for model in others:
        model.save(tmp_path / "model.keras")
        with pytest.raises(
            ValueError, match="no model that `keras-fusion train` saved"
        ):
            predict(tmp_path / "model.keras", draw({"a": (5,)}))
