"""A real export, and what is read from it."""

import shutil
import sys

import keras
import numpy as np
import pytest

from keras_fusion.export import (
    child,
    export,
    input_columns,
    input_shapes,
    labels,
    signature,
    verify,
    versions,
    warmup,
)
from keras_fusion.export import litert as litert_form
from keras_fusion.export import onnx as onnx_form
from keras_fusion.export.reading import as_array, signatures
from tests.conftest import assert_close
from tests.export.conftest import ABOUT, WARMUP
from tests.export.models import CLASS_NAMES, samples

MASK = np.array([[1, 1], [1, 0], [0, 1], [1, 1]], bool)
FLAGS = ["rgb_d_present", "pose_present"]
SIGNATURES = ["embedding", "embedding_masked", "serving_default", "serving_masked"]


def asked(rows=4):
    present = np.resize(MASK, (rows, 2)).T
    return samples(rows) | dict(zip(FLAGS, present))


def of_the_model(inputs):
    """The inputs of a signature as the model itself takes them."""
    modalities = {name: x for name, x in inputs.items() if name not in FLAGS}
    mask = np.stack([inputs[name] for name in FLAGS], axis=1)
    return modalities | {"modality_mask": mask}


def of_the_signature(inputs):
    """With the names that other runtimes know."""
    return {name.replace("-", "_"): x for name, x in inputs.items()}


def named(scores):
    return [CLASS_NAMES[i] for i in scores.argmax(axis=1)]


def test_masked_signature_gives_the_models_numbers(exported):
    model, folder = exported
    inputs = asked()
    inputs["pose"][1] = np.nan
    answered = signature(folder)(inputs)
    assert sorted(answered) == ["classes", "predictions"]
    assert answered["predictions"].dtype == np.float32
    expected = model.predict(of_the_model(inputs), verbose=0)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(answered["predictions"], expected, atol=1e-5)
    assert answered["classes"].tolist() == named(expected)


@pytest.mark.parametrize(("rows", "tokens"), [(1, 4), (5, 9)])  # both are free
def test_default_signature_has_every_modality_present(exported, rows, tokens):
    model, folder = exported
    inputs = samples(rows, tokens)
    mask = np.ones((rows, 2), bool)
    expected = model.predict({**inputs, "modality_mask": mask}, verbose=0)
    answered = signature(folder / "1")(inputs)["predictions"]
    np.testing.assert_allclose(answered, expected, atol=1e-5)


def test_embedding_is_what_the_head_takes(exported):
    model, folder = exported
    inputs = asked()
    answered = signature(folder, "embedding_masked")(inputs)["embedding"]
    assert answered.shape == (4, 5)
    head = model.get_layer("predictions")
    assert_close(head(answered), model(of_the_model(inputs)))
    present = signature(folder, "embedding")(samples(4))["embedding"]
    np.testing.assert_allclose(present[[0, 3]], answered[[0, 3]], atol=1e-6)
    apart = np.abs(present[1:3] - answered[1:3]).max(axis=1)
    assert apart.min() > 1e-2  # where something is absent


def test_signature_refuses_what_does_not_fit(exported):
    answer = signature(exported[1])
    good = samples(2)
    with pytest.raises(ValueError, match=r"Expected the inputs .* received \['pose'\]"):
        answer({"pose": good["pose"]})
    with pytest.raises(ValueError, match="received .*'audio'"):
        answer({**good, "audio": good["pose"]})
    with pytest.raises(ValueError, match=r"'pose' must have the shape \(None, 3\)"):
        answer({**good, "pose": np.zeros((2, 4))})
    with pytest.raises(ValueError, match="one batch size; received .*'pose': 1"):
        answer({**good, "pose": good["pose"][:1]})
    with pytest.raises(ValueError, match="no signature 'head'; it has .*'embedding'"):
        signature(exported[1], "head")


def test_labels_come_back(exported):
    assert labels(exported[1]) == labels(exported[1] / "1") == CLASS_NAMES


def test_row_shapes_come_back_in_the_models_order(exported):
    assert list(input_shapes(exported[1]).items()) == [
        ("rgb-d", (None, 2)),
        ("pose", (3,)),
    ]


def test_only_the_version_remains_and_others_may_read_it(exported, tmp_path):
    assert [path.name for path in exported[1].iterdir()] == ["1"]
    (tmp_path / "ordinary").mkdir()
    ordinary = (tmp_path / "ordinary").stat().st_mode
    assert (exported[1] / "1").stat().st_mode == ordinary


BROKEN = ["{", "[" * 10**5, "3", '{"x": 1}', '{"x": {"shape": [[]], "columns": 1}}']


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_broken_assets_are_one_sentence(content, tmp_path):
    (tmp_path / "saved_model.pb").touch()
    (tmp_path / "assets.extra").mkdir()
    for name in ("labels", "inputs"):
        (tmp_path / "assets.extra" / f"{name}.json").write_text(content)
    for read in (labels, input_shapes, input_columns):
        with pytest.raises(ValueError, match=r"\.json is not as it was exported"):
            read(tmp_path)


def test_no_labels(tmp_path):
    versions.put(lambda folder: (folder / "saved_model.pb").touch(), tmp_path)
    assert labels(tmp_path) is None


def test_the_manifest_says_what_it_is(exported):
    model, folder = exported
    manifest = verify(folder / "1")
    assert {key: manifest[key] for key in ABOUT} == ABOUT
    assert manifest["model"]["parameters"] == model.count_params()
    assert {"keras", "tensorflow", "keras_fusion"} <= manifest["versions"].keys()
    assert sorted(manifest["signatures"]) == SIGNATURES
    masked = manifest["signatures"]["serving_masked"]
    assert masked["inputs"]["rgb_d"] == {"shape": [None, None, 2], "dtype": "float32"}
    assert masked["inputs"]["pose_present"] == {"shape": [None], "dtype": "bool"}
    assert manifest["names"] == {"rgb_d": "rgb-d", "pose": "pose"}
    assert masked["outputs"]["classes"] == {"shape": [None], "dtype": "string"}
    assert masked["outputs"]["predictions"] == {"shape": [None, 2], "dtype": "float32"}
    largest = manifest["verified"]["largest_difference"]
    assert set(largest) == {"saved_model", "onnx", "litert"}
    assert max(largest.values()) <= manifest["verified"]["tolerance"] == 1e-5


def test_onnx_gives_the_models_numbers(exported):
    model, folder = exported
    answer = onnx_form.load(folder / "1" / "model.onnx")["serving_masked"]
    answered = answer(of_the_signature(asked()))
    expected = model.predict(of_the_model(asked()), verbose=0)
    np.testing.assert_allclose(answered["predictions"], expected, atol=1e-5)
    assert answered["classes"].tolist() == named(expected)


def test_litert_gives_the_models_numbers(exported):
    model, folder = exported
    forms = litert_form.load(folder / "1" / "model.tflite")
    assert sorted(forms) == SIGNATURES
    answered = forms["serving_masked"](of_the_signature(asked()))
    expected = model.predict(of_the_model(asked()), verbose=0)
    np.testing.assert_allclose(answered["predictions"], expected, atol=1e-5)
    assert [x.decode() for x in answered["classes"]] == named(expected)


def test_a_class_is_only_named_where_there_are_numbers(exported):
    """The same rule in every form: infinity, and numbers whose sum is none."""
    inputs = samples(4)
    inputs["pose"][1, 0], inputs["pose"][2, 0] = np.inf, 3e38
    folder = exported[1] / "1"
    present = dict.fromkeys(FLAGS, np.ones(4, bool))
    asked = of_the_signature(inputs | present)
    forms = [
        signature(folder, "serving_masked"),
        onnx_form.load(folder / "model.onnx")["serving_masked"],
        litert_form.load(folder / "model.tflite")["serving_masked"],
    ]
    for form in forms:
        classes = as_array(form(asked)["classes"]).tolist()
        assert classes[0] in CLASS_NAMES and classes[3] in CLASS_NAMES
        assert classes[1:3] == ["", ""]
    assert signature(folder)(inputs)["classes"].tolist() == classes


def test_warm_up_asks_every_signature_in_every_size(exported):
    requests = list(warmup.read(exported[1] / "1" / warmup.WARMUP))
    rows = {(name, len(inputs["pose"])) for name, inputs in requests}
    assert rows == {(s, b) for s in SIGNATURES for b in WARMUP}
    assert len(requests) == len(rows)
    first, served = samples(6)["pose"], signatures(exported[1])
    for name, inputs in requests:
        answered = served[name](inputs)  # by names and shapes that fit
        assert all(np.isfinite(x).all() for n, x in answered.items() if n != "classes")
        np.testing.assert_array_equal(inputs["pose"], first[: len(inputs["pose"])])


def test_a_half_copied_version_is_one_sentence(exported, tmp_path):
    shutil.copytree(exported[1] / "1", tmp_path / "1")
    shutil.rmtree(tmp_path / "1" / "variables")
    with pytest.raises(ValueError, match="1 is no whole SavedModel: ") as error:
        signature(tmp_path)
    assert "\n" not in str(error.value)
    graph = tmp_path / "1" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:100])
    with pytest.raises(ValueError, match="1 is no whole SavedModel: "):
        signature(tmp_path)


@pytest.mark.slow
@pytest.mark.only_on("torch", reason="the child is the same from each backend")
def test_a_child_says_in_one_line_what_is_wrong(tmp_path):
    job = {"folder": str(tmp_path), "cases": "cases.npz"}
    with pytest.raises(RuntimeError, match="FileNotFoundError: .*cases.npz") as e:
        child.run("ask", job, tmp_path)
    assert "\n" not in str(e.value)


def test_a_child_that_says_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="status 1 and said nothing"):
        child.run("ask", {}, tmp_path)


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="Keras has no text on the others")
def test_a_model_of_text(tmp_path):
    text = keras.Input((), dtype="string", name="a text")
    words = keras.layers.TextVectorization(vocabulary=["a", "two"], output_mode="count")
    model = keras.Model({"a text": text}, keras.layers.Dense(2)(words(text)))
    rows = {"a text": np.array(["two two", "ä"])}
    made = export(model, tmp_path, samples=rows, labels=CLASS_NAMES, warmup_batches=[2])
    answered = signature(made)(rows)
    expected = model({"a text": keras.ops.convert_to_tensor(rows["a text"])})
    assert_close(next(x for n, x in answered.items() if n != "classes"), expected)
    assert verify(made)["names"] == {"a_text": "a text"}
    with pytest.raises(ValueError, match="xla_batches needs inputs of numbers"):
        export(model, tmp_path, xla_batches=[1])


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="it has text")
def test_text_is_for_tensorflow(tmp_path):
    text = keras.Input((), dtype="string", name="x")
    model = keras.Model({"x": text}, keras.layers.Identity()(text))
    with pytest.raises(ValueError, match="'x' is text, which Keras computes on Tens"):
        export(model, tmp_path / "name")
