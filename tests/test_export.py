import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import layers
from keras_fusion.export import (
    child,
    export,
    exporting,
    input_shapes,
    labels,
    signature,
    verification,
    versions,
)
from keras_fusion.export.signatures import signatures_of

CLASS_NAMES = ["zero", "één"]


def masked_model():
    # "rgb-d" is no Python name: TensorFlow knows it by two spellings.
    inputs = {
        "rgb-d": keras.Input((4, 2), name="rgb-d"),
        "pose": keras.Input((3,), name="pose"),
        "modality_mask": keras.Input((2,), dtype="bool", name="modality_mask"),
    }
    streams = [ops.mean(inputs["rgb-d"], axis=1), inputs["pose"]]
    fuse = layers.Averaging(units=5)
    fused = fuse(streams, modality_mask=inputs["modality_mask"])
    return keras.Model(inputs, keras.layers.Dense(2, name="predictions")(fused))


def plain_model(name="x", **kwargs):
    inputs = keras.Input((3,), name=name)
    return keras.Model({name: inputs}, keras.layers.Dense(2, **kwargs)(inputs))


def samples(rows):
    rng = np.random.default_rng(1)
    return {
        "rgb-d": rng.standard_normal((rows, 4, 2)).astype("float32"),
        "pose": rng.standard_normal((rows, 3)).astype("float32"),
    }


def whole(folder):
    (folder / "saved_model.pb").write_text("whole")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The one real export: the model and the folder of its versions."""
    folder = tmp_path_factory.mktemp("export")
    model = masked_model()
    model.save(folder / "model.keras")
    made = export(folder / "model.keras", folder / "name", labels=np.array(CLASS_NAMES))
    assert made == folder / "name" / "1"
    return model, folder / "name"


# A real export and what is read from it


def test_masked_signature_gives_the_models_numbers(exported):
    model, folder = exported
    inputs = samples(4)
    inputs["modality_mask"] = np.array([[1, 1], [1, 0], [0, 1], [1, 1]], bool)
    inputs["pose"][1] = np.nan
    answered = signature(folder)(inputs)
    assert list(answered) == ["predictions"]
    assert answered["predictions"].dtype == np.float32
    expected = model.predict(inputs, verbose=0)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(answered["predictions"], expected, atol=1e-5)


def test_default_signature_has_every_modality_present(exported):
    model, folder = exported
    inputs = samples(5)
    mask = np.ones((5, 2), bool)
    expected = model.predict({**inputs, "modality_mask": mask}, verbose=0)
    answered = signature(folder / "1")(inputs)["predictions"]
    np.testing.assert_allclose(answered, expected, atol=1e-5)


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


def test_labels_come_back(exported):
    assert labels(exported[1]) == labels(exported[1] / "1") == CLASS_NAMES


def test_row_shapes_come_back_in_the_models_order(exported):
    assert list(input_shapes(exported[1]).items()) == [
        ("rgb-d", (4, 2)),
        ("pose", (3,)),
    ]


def test_only_the_version_remains_and_others_may_read_it(exported, tmp_path):
    assert names(exported[1]) == ["1"]
    (tmp_path / "ordinary").mkdir()
    ordinary = (tmp_path / "ordinary").stat().st_mode
    assert (exported[1] / "1").stat().st_mode == ordinary


def test_no_labels(tmp_path):
    versions.put(whole, tmp_path)
    assert labels(tmp_path) is None


@pytest.mark.slow
def test_a_child_says_in_one_line_what_is_wrong(tmp_path):
    with pytest.raises(RuntimeError, match="ValueError: .*expected a SavedModel") as e:
        child.run("ask", tmp_path, "inputs.npz", "outputs.npz")
    assert "\n" not in str(e.value)


def test_a_child_that_says_nothing(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="status 1 and said nothing"):
        child.run("ask")


# Verification


def test_numbers_that_differ_leave_nothing(tmp_path, monkeypatch):
    model = plain_model()

    def ask(folder, asked, scratch):
        assert names(folder) == ["assets.extra", "saved_model.pb"]
        answer = model.predict(asked["serving_default"], verbose=0) + np.float32(5e-5)
        return {"serving_default": {model.output_names[0]: answer}}

    monkeypatch.setattr(
        exporting, "_write_from_any_backend", lambda model, folder, _: whole(folder)
    )
    monkeypatch.setattr(exporting, "_ask_afresh", ask)
    with pytest.raises(ValueError, match="differs from the model's by"):
        export(model, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "received",
    [
        {"y": np.float32([[1, 2 + 2e-5]])},
        {"y": np.float32([[1, np.nan]])},
        {"y": np.float32([1, 2])},
        {"z": np.float32([[1, 2]])},
    ],
)
def test_compare_refuses(received):
    expected = {"default": {"y": np.float32([[1, 2]])}}
    verification.compare(expected, {"default": {"y": np.float32([[1, 2 + 5e-6]])}})
    with pytest.raises(ValueError, match="default: "):
        verification.compare(expected, {"default": received})


def test_nan_is_never_verified():
    nan = {"default": {"y": np.float32([np.nan])}}
    with pytest.raises(ValueError, match="by nan"):
        verification.compare(nan, nan)


def test_drawn_samples_fit_the_inputs():
    ids = keras.Input((None,), dtype="int32", name="ids")
    outputs = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(2, 3)(ids))
    signatures = signatures_of(keras.Model({"ids": ids}, outputs))
    drawn = verification.sample_inputs(signatures, None)["serving_default"]["ids"]
    assert drawn.dtype == np.int32 and len(drawn) == 3
    assert set(np.unique(drawn)) == {0, 1}


def test_every_drawn_row_has_a_modality():
    given = samples(200)
    given["pose"][0] = np.nan
    asked = verification.sample_inputs(signatures_of(masked_model()), given)
    mask = asked["serving_masked"]["modality_mask"]
    assert mask.any(axis=1).all() and not mask.all(axis=1).all()
    assert np.isnan(asked["serving_masked"]["pose"][0]).all()
    assert "modality_mask" not in asked["serving_default"]
    assert np.isfinite(asked["serving_default"]["pose"]).all()


def test_samples_that_do_not_fit_are_refused(tmp_path):
    model = masked_model()
    with pytest.raises(ValueError, match=r"received \[\]"):
        export(model, tmp_path, samples={})
    with pytest.raises(ValueError, match="at least one row"):
        export(model, tmp_path, samples=samples(0))


# What can be exported


def test_answers_are_float32_by_layer_or_key():
    model = plain_model(dtype="mixed_bfloat16")
    signatures = signatures_of(model)
    answered = verification.answers(signatures, {"serving_default": {"x": ones()}})
    (output,) = answered["serving_default"].items()
    assert output[0] == model.output_names[0] and output[1].dtype == np.float32
    x = keras.Input((3,), name="x")
    by_key = keras.Model({"x": x}, {"b": x * 2.0, "a": x})
    answered = verification.answers(
        signatures_of(by_key), {"serving_default": {"x": ones()}}
    )
    np.testing.assert_array_equal(answered["serving_default"]["b"], 2 * ones())


def ones():
    return np.ones((2, 3), "float32")


@pytest.mark.parametrize("name", ["class", "self", "left eye", "_x", "één"])
def test_names_that_tensorflow_cannot_hold(name):
    with pytest.raises(ValueError, match=f"cannot have an input '{name}'"):
        signatures_of(plain_model(name=name))


def test_models_without_names_are_refused():
    x = keras.Input((3,), name="x")
    with pytest.raises(ValueError, match="dict of named inputs"):
        signatures_of(keras.Model(x, x * 2.0))
    with pytest.raises(ValueError, match="dict of named inputs"):
        signatures_of(keras.Sequential([keras.layers.Dense(2)]))
    dense = keras.layers.Dense(3)
    with pytest.raises(ValueError, match="return a dict"):
        signatures_of(keras.Model({"x": x}, [dense(x), dense(dense(x))]))


def test_without_tensorflow(tmp_path, monkeypatch):
    model = plain_model()
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match=r"keras-fusion\[tensorflow\]"):
        export(model, tmp_path)


# Versions


def test_versions_count_up(tmp_path):
    (tmp_path / "latest").mkdir()
    assert versions.put(whole, tmp_path).name == "1"
    (tmp_path / "007").touch()
    assert versions.put(whole, tmp_path).name == "8"
    assert versions.put(whole, tmp_path, 20).name == "20"
    assert versions.put(whole, tmp_path, 9).name == "9"
    assert versions.newest(tmp_path) == tmp_path / "20"
    assert versions.newest(tmp_path / "8") == tmp_path / "8"


def test_no_version_to_read(tmp_path):
    (tmp_path / "3").mkdir()
    with pytest.raises(ValueError, match="expected a SavedModel"):
        versions.newest(tmp_path)


@pytest.mark.parametrize("taken", ["4", "004"])
def test_an_existing_version_is_refused_before_the_work(tmp_path, taken):
    (tmp_path / taken).mkdir()  # empty: a rename would replace it
    with pytest.raises(ValueError, match="already has a version 4"):
        versions.put(pytest.fail, tmp_path, 4)
    assert names(tmp_path) == [taken]


@pytest.mark.parametrize("version", [0, -1, 1.0, "2"])
def test_a_version_is_a_whole_number(tmp_path, version):
    with pytest.raises(ValueError, match="whole number from 1"):
        versions.put(pytest.fail, tmp_path, version)


@pytest.mark.parametrize("version", [None, 1])
def test_a_number_taken_during_the_work_is_not_overwritten(tmp_path, version):
    def fill(folder):
        whole(folder)
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "theirs").touch()

    if version is None:
        assert versions.put(fill, tmp_path).name == "2"
    else:
        with pytest.raises(ValueError, match="already has a version 1"):
            versions.put(fill, tmp_path, version)
    assert names(tmp_path / "1") == ["theirs"]


def test_a_number_taken_at_the_last_moment(tmp_path, monkeypatch):
    rename = os.rename

    def late(source, target):
        if target.name == "1":
            target.mkdir()
            (target / "theirs").touch()
        rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    assert names(versions.put(whole, tmp_path)) == ["saved_model.pb"]
    assert names(tmp_path) == ["1", "2"] and names(tmp_path / "1") == ["theirs"]


def test_a_failure_leaves_nothing(tmp_path):
    def fill(folder):
        whole(folder)
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        versions.put(fill, tmp_path / "new")
    assert names(tmp_path / "new") == []


def test_what_dead_processes_left_is_removed(tmp_path):
    with subprocess.Popen(["true"]) as process:
        pass
    dead, alive = f".tmp-{process.pid}-0", f".tmp-{os.getpid()}-0"
    for name in (dead, alive, ".tmp-mine"):
        (tmp_path / name).mkdir()
        whole(tmp_path / name)
    versions.put(whole, tmp_path)
    assert names(tmp_path) == sorted([alive, ".tmp-mine", "1"])


@pytest.mark.parametrize("folder", ["file", "file/name"])
def test_a_folder_that_cannot_be_written_to(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=f"{folder} cannot be written to: "):
        versions.put(pytest.fail, tmp_path / folder)


KILLED = """
import importlib.util, os, pathlib, signal, sys

file, folder, moment = sys.argv[1:]
spec = importlib.util.spec_from_file_location("versions", file)
versions = importlib.util.module_from_spec(spec)
spec.loader.exec_module(versions)
rename = os.rename

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

def fill(staging):
    (staging / "variables").mkdir()
    (staging / "variables" / "weights").write_text("whole")
    if moment == "writing":
        die()
    (staging / "saved_model.pb").write_text("whole")

def rename_and_die(source, target):
    rename(source, target)
    die()

if moment == "syncing":
    os.fsync = die
if moment == "renaming":
    os.rename = die
if moment == "renamed":
    os.rename = rename_and_die
versions.put(fill, folder)
"""


@pytest.mark.parametrize("moment", ["writing", "syncing", "renaming", "renamed"])
def test_a_kill_leaves_no_half_version(tmp_path, moment):
    versions.put(whole, tmp_path)
    # By its file, since importing the package would import Keras.
    command = [sys.executable, "-c", KILLED, versions.__file__, tmp_path, moment]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    visible = [name for name in names(tmp_path) if not name.startswith(".")]
    assert visible == (["1", "2"] if moment == "renamed" else ["1"])
    for version in visible:
        assert (tmp_path / version / "saved_model.pb").read_text() == "whole"
    following = versions.put(whole, tmp_path).name
    assert names(tmp_path) == [*visible, following]


def test_everything_is_on_disk_before_the_version_appears(tmp_path, monkeypatch):
    events = []
    fsync, rename = os.fsync, os.rename

    def record_fsync(descriptor):
        events.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def record_rename(source, target):
        events.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "rename", record_rename)
    version = versions.put(whole, tmp_path / "name")
    before, after = (set(part) for part in split(events, "rename"))
    inode = {path: path.stat().st_ino for path in [version, *version.iterdir()]}
    assert before == set(inode.values())
    assert after == {path.stat().st_ino for path in (version.parent, tmp_path)}


def split(items, separator):
    at = items.index(separator)
    return items[:at], items[at + 1 :]
