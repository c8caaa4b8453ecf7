import sys

import keras
import numpy as np
import pytest

from keras_fusion.export import (
    child,
    export,
    exporting,
    forms,
    saved_model,
    verification,
)
from keras_fusion.export.cases import Case, cases_for
from keras_fusion.export.signatures import signature_arrays, signatures_of
from keras_fusion.ops import median_class
from tests.export.models import Doubling, masked_model, ones, plain_model, samples


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def written(monkeypatch):
    """Puts a function of arrays in the place of what is written and asked."""

    def replace(answer):
        def ask(folder, asked, formats, scratch):
            assert names(folder) == ["assets.extra", "saved_model.pb"]
            cases = child.load_groups(asked)
            return [("saved_model", answer(inputs)) for _, inputs in cases], {}

        monkeypatch.setattr(
            exporting,
            "_write",
            lambda model, folder, *_: (folder / "saved_model.pb").touch(),
        )
        monkeypatch.setattr(exporting, "_ask_afresh", ask)

    return replace


def test_numbers_that_differ_leave_nothing(tmp_path, written):
    model = plain_model()
    (name,) = model.output_names
    off = 0.0
    written(lambda inputs: {name: model.predict(inputs, verbose=0) + np.float32(off)})
    assert export(model, tmp_path).name == "1"
    off = 5e-5
    with pytest.raises(ValueError, match="serving_default of .* differs from the mod"):
        export(model, tmp_path)
    assert names(tmp_path) == ["1"]


def test_real_inputs_are_asked_too(tmp_path, written):
    model = plain_model()
    (name,) = model.output_names

    def wrong_on_ones(inputs):
        off = np.float32(inputs["x"].min() == 1)
        return {name: model.predict(inputs, verbose=0) + off}

    written(wrong_on_ones)
    export(model, tmp_path)
    with pytest.raises(ValueError, match="differs from the model's by"):
        export(model, tmp_path, samples={"x": ones()})


def test_what_training_gave_is_compared_too(tmp_path, written):
    model = plain_model()
    (name,) = model.output_names
    written(lambda inputs: {name: model.predict(inputs, verbose=0)})
    rows = {"x": ones()}
    trained = {name: model.predict(rows, verbose=0), "logits": ones()}
    assert export(model, tmp_path, samples=rows, trained=trained).name == "1"
    trained[name][1, 1] += 1e-3
    with pytest.raises(ValueError, match="asked what it was asked after its training"):
        export(model, tmp_path, samples=rows, trained=trained)
    for unfit in ({"logits": ones()}, {name: ones(3, 2)}):
        with pytest.raises(ValueError, match="what the trained model answers"):
            export(model, tmp_path, samples=rows, trained=unfit)
    assert names(tmp_path) == ["1"]


def test_rows_that_are_no_numbers_have_no_class():
    scores = np.float32([[1, 2], [np.nan, 2], [np.inf, 1], [2, 1]])
    received = {"y": scores, "classes": np.array(["b", "", "", "a"])}
    verification.check_classes(received, "y", ["a", "b"])
    received["classes"][1] = "a"
    with pytest.raises(ValueError, match="'classes' is"):
        verification.check_classes(received, "y", ["a", "b"])


def test_classes_in_an_order_are_those_of_the_median():
    scores = np.float32([[0.4, 0.25, 0.35], [0.4, np.nan, 0.35]])
    received = {"y": scores, "median_class": np.float32([1, 0])}
    received["classes"] = np.array(["b", ""])
    verification.check_classes(received, "y", ["a", "b", "c"])
    received["classes"][0] = "a"
    with pytest.raises(ValueError, match="'classes' is"):
        verification.check_classes(received, "y", ["a", "b", "c"])


@pytest.mark.only_on("tensorflow", reason="it is TensorFlow's graph")
def test_the_graph_names_the_class_that_the_model_does():
    p = keras.Input((3,), name="p")
    outputs = {"probabilities": p, "median_class": median_class(p)}
    model = keras.Model({"p": p}, outputs)
    answer = saved_model.compiled(model, ["a", "b", "c"])["serving_default"].answer
    found = answer({"p": np.float32([[0.4, 0.25, 0.35], [0.6, 0.1, 0.3]])})
    assert found["classes"].numpy().tolist() == [b"b", b"a"]


def test_labels_that_do_not_name_the_largest(tmp_path, written):
    model = plain_model()
    (name,) = model.output_names

    def answer(inputs, turn=0):
        scores = model.predict(inputs, verbose=0)
        labels = np.array(["a", "b"])[(scores.argmax(axis=-1) + turn) % 2]
        return {name: scores, "classes": labels}

    written(answer)
    export(model, tmp_path, labels=["a", "b"])
    written(lambda inputs: answer(inputs, turn=1))
    with pytest.raises(ValueError, match="'classes' is .* where '.*' says"):
        export(model, tmp_path, labels=["a", "b"])


@pytest.mark.parametrize(
    "received",
    [
        {"y": np.float32([[1, 2 + 4e-5]])},
        {"y": np.float32([[1, np.nan]])},
        {"y": np.float32([1, 2])},
        {"z": np.float32([[1, 2]])},
    ],
)
def test_compare_refuses(received):
    expected = {"y": np.float32([[1, 2]])}
    found = verification.compare(
        expected, {"y": np.float32([[1, 2 + 1e-5]])}, "default"
    )
    assert 4e-6 < found < 6e-6
    with pytest.raises(ValueError, match="default: "):
        verification.compare(expected, received, "default")


def test_a_difference_is_relative_to_the_largest_number():
    def compare(expected, received):
        arrays = ({"y": np.float32(x)} for x in (expected, received))
        return verification.compare(*arrays, "default")

    assert compare([1000, 0], [1000, 5e-3]) == pytest.approx(5e-6)
    with pytest.raises(ValueError, match="differs from the model's by 2.0e-05"):
        compare([1000, 0], [1000, 2e-2])
    assert compare([np.inf, -np.inf, 1], [np.inf, -np.inf, 1]) == 0
    assert compare(np.zeros((0, 2)), np.zeros((0, 2))) == 0
    for received in ([-np.inf, 1], [3e38, 1], [np.inf, 1.1]):
        with pytest.raises(ValueError, match="differs from the model's"):
            compare([np.inf, 1], received)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_twin_in_float32_is_compared_with_the_model(
    policy, tmp_path, written, monkeypatch
):
    model = plain_model(dtype=policy)
    (name,) = model.output_names
    twin = exporting.prepared(model)
    written(lambda inputs: {name: twin.predict(inputs, verbose=0)})
    monkeypatch.setattr(exporting, "prepared", lambda model: twin)
    export(model, tmp_path)
    twin.set_weights([w + 0.5 for w in twin.get_weights()])
    with pytest.raises(ValueError, match=f"in place of {policy[6:]}: .* differs"):
        export(model, tmp_path)
    assert names(tmp_path) == ["1"]


def test_nan_is_never_verified():
    nan = {"y": np.float32([np.nan])}
    with pytest.raises(ValueError, match="by nan"):
        verification.compare(nan, nan, "default")


def test_every_form_is_compared():
    case = Case("serving_default", {}, {"y": np.float32([1])})
    good, bad = {"y": np.float32([1])}, {"y": np.float32([1.1])}
    for i in range(3):
        answers = [("", good)] * i + [("", bad)] + [("", good)] * (2 - i)
        form = ["saved_model", "onnx", "litert"][i]
        with pytest.raises(ValueError, match=f"reloaded {form}: 'y' differs"):
            verification.verified([case], answers, ("onnx", "litert"))


def test_onnx_is_asked_by_the_signature_of_the_most_inputs():
    both = ["serving_default", "serving_masked"]
    assert forms.questions(both, ["onnx"])[2:] == [("onnx", 1)]
    assert forms.questions(both[:1], ["onnx"])[1:] == [("onnx", 0)]


def test_drawn_samples_fit_the_inputs():
    ids = keras.Input((None,), dtype="int32", name="ids")
    outputs = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(2, 3)(ids))
    signatures = signatures_of(keras.Model({"ids": ids}, outputs))
    cases = cases_for(signatures, batches=(1, 5))
    drawn = [c.inputs["ids"] for c in cases if c.signature == "serving_default"]
    assert all(x.dtype == np.int32 and set(np.unique(x)) <= {0, 1} for x in drawn)
    # batch and free axis both come in several sizes
    assert {x.shape for x in drawn} == {(1, 16), (3, 16), (5, 16), (5, 5)}


def test_every_drawn_row_has_a_modality():
    given = samples(200)
    given["pose"][0] = np.nan
    model = masked_model()
    given = signature_arrays(model, given)
    cases = cases_for(signatures_of(model), given)
    asked = {case.signature: case.inputs for case in reversed(cases)}
    flags = [f"{name}_present" for name in given]
    mask = np.stack([asked["serving_masked"][name] for name in flags], axis=1)
    assert mask.any(axis=1).all() and not mask.all(axis=1).all()
    assert np.isnan(asked["serving_masked"]["pose"][0]).all()
    assert not set(flags) & asked["serving_default"].keys()
    assert np.isfinite(asked["serving_default"]["pose"]).all()


def test_samples_that_do_not_fit_are_refused(tmp_path):
    model = masked_model()
    with pytest.raises(ValueError, match=r"received \[\]"):
        export(model, tmp_path, samples={})
    with pytest.raises(ValueError, match="at least one row"):
        export(model, tmp_path, samples=samples(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["onx"]}, "No format 'onx'. Did you mean 'onnx'?"),
        ({"xla_batches": [0]}, r"xla_batches must be .* from 1; received \[0\]"),
        ({"warmup_batches": range(1, 200)}, "warmup_batches must be at most 100"),
        ({"about": {"author": 1}}, "may hold 'recipe' and 'metrics'; .*'author'"),
        ({"about": {"metrics": np.nan}}, "must be what JSON can hold"),
        ({"labels": ["a"]}, "an output with 1 classes"),
    ],
)
def test_options_that_do_not_fit(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(plain_model(), tmp_path / "name", **options)
    assert names(tmp_path) == []


@pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="no other process writes there"
)
def test_a_class_of_the_program_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(Doubling, "__module__", "__main__")
    with pytest.raises(ValueError, match="cannot import: define it in a module"):
        export(masked_model(), tmp_path)
    assert names(tmp_path) == []


def test_xla_needs_fixed_sizes(tmp_path):
    x = keras.Input((None, 3), name="x")
    with pytest.raises(ValueError, match="no free axis but the batch.* for x"):
        export(keras.Model({"x": x}, x * 2.0), tmp_path, xla_batches=[2])


def test_a_graph_has_no_batches(tmp_path):
    inputs = {
        "x": keras.Input((3,), name="x"),
        "edge_index": keras.Input((2,), dtype="int32", name="edge_index"),
    }
    model = keras.Model(inputs, inputs["x"] * 2.0)
    for option in ("warmup_batches", "xla_batches"):
        with pytest.raises(ValueError, match="A graph is asked as a whole"):
            export(model, tmp_path, **{option: [2]})


@pytest.mark.parametrize(
    ("package", "extra", "options"),
    [
        ("tensorflow", "tensorflow", {}),
        ("tf2onnx", "onnx", {"formats": ["onnx"]}),
        ("onnxruntime", "onnx", {"formats": ["onnx"]}),
        ("ai_edge_litert", "litert", {"formats": ["litert"]}),
        ("tensorflow_serving", "serving", {"warmup_batches": [1]}),
    ],
)
def test_without_what_is_needed(package, extra, options, tmp_path, monkeypatch):
    model = plain_model()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{package} is .*keras-fusion\[{extra}\]"):
        export(model, tmp_path, **options)
    assert names(tmp_path) == []
