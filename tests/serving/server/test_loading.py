"""Versions that are not whole, or fail to load, and what warms those that do."""

import errno
import shutil
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.server import folders, servable
from keras_fusion.serving.server import warming as warmup
from keras_fusion.serving.server.models import Models
from keras_fusion.serving.server.warming import FILE
from tests.serving.asking import predict_request
from tests.serving.saved_model import POSE, RGB


def states(models, name="small"):
    return {v: state.name for v, state in models.states(name).items()}


def test_junk_is_passed_over_and_said_once(models, place, tmp_path, said):
    folder = place(1).parent
    (folder / "latest").mkdir()
    (folder / "2").touch()
    (folder / "-3").mkdir()
    (folder / "٤").mkdir()  # a digit, but not one of TensorFlow Serving's
    (folder / ".tmp-1-2").mkdir()
    (tmp_path / "README.md").touch()
    models.refresh()
    models.refresh()
    assert models.get("small").version == 1
    assert len(said) == 5 and all("passed over" in text for text in said[:4])


def test_a_half_copied_version_waits_for_the_rest(models, place, said):
    whole = place(1)
    models.refresh()
    half = whole.parent / "2"
    half.mkdir()
    models.refresh()
    assert f"{half} has no saved_model.pb, half copied maybe; passed over." in said
    shutil.copy(whole / "saved_model.pb", half)  # and still no weights
    models.refresh()
    models.refresh()
    assert models.get("small").version == 1
    assert states(models) == {2: "END", 1: "AVAILABLE"}
    assert models.states("small", 2)[2].error
    assert len([text for text in said if "cannot be loaded" in text]) == 1
    shutil.copytree(whole, half, dirs_exist_ok=True)
    models.refresh()
    assert models.get("small").version == 2


def test_a_load_that_fails_is_tried_again(place, tmp_path, said, monkeypatch):
    place(1)
    models = Models(tmp_path, retries=2, retry_seconds=10, say=said.append)
    now, load = [100.0], servable.Servable.__init__

    def fail(self, folder):
        raise OSError("Stale file handle")

    monkeypatch.setattr(servable.Servable, "__init__", fail)
    clock = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("keras_fusion.serving.server.models.time", clock)
    for expected in (1, 1, 2, 2, 3, 3, 3, 3):  # the first time and twice again
        models.refresh()
        now[0] += 6
        assert len(said) == expected
    monkeypatch.setattr(servable.Servable, "__init__", load)
    models.refresh()
    assert models.names() == []
    (tmp_path / "small" / "1" / "more").touch()
    models.refresh()
    assert models.names() == ["small"]


def test_a_folder_that_cannot_be_looked_at_changes_nothing(
    models, place, said, monkeypatch
):
    place(1)
    folder = place(1, "other").parent
    models.refresh()
    iterdir, broken = type(folder).iterdir, [folder]

    def fail(self):
        if self in broken:
            raise OSError(errno.EMFILE, "Too many open files")
        return iterdir(self)

    monkeypatch.setattr(type(folder), "iterdir", fail)
    place(2)
    models.refresh()
    models.refresh()
    assert models.get("other").version == 1 and models.get("small").version == 2
    assert (
        len([text for text in said if "cannot be looked at, so nothing" in text]) == 1
    )
    broken.append(folder.parent)
    with pytest.raises(OSError, match="Too many open files"):
        models.refresh()
    broken.clear()
    models.refresh()
    assert models.names() == ["other", "small"]


@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\x01"])
def test_a_graph_that_is_none(models, place, content, said):
    place(1)
    (place(2) / "saved_model.pb").write_bytes(content)
    models.refresh()
    with pytest.raises(ServingError):
        models.get("small")  # as TensorFlow Serving, which tries no older one
    assert "2 cannot be loaded: " in said[0] and "\n" not in said[0]


def test_models_without_versions(models, tmp_path, said):
    (tmp_path / "empty").mkdir()
    models.refresh()
    assert models.names() == []
    assert said == [
        f"{tmp_path / 'empty'} holds no version yet: expected "
        f"{tmp_path / 'empty'}/1/saved_model.pb."
    ]


def test_a_numbered_folder_beside_the_models_takes_none_down(models, place, tmp_path):
    place(1)
    models.refresh()
    (tmp_path / "7").mkdir()
    models.refresh()
    assert models.names() == ["small"]
    (tmp_path / "7" / "saved_model.pb").touch()
    models.refresh()
    assert models.names() == ["small"]


def test_nobody_needs_to_listen(place, tmp_path):
    def say(sentence):
        raise BrokenPipeError(sentence)

    place(1)
    models = Models(tmp_path, say=say)
    models.refresh()
    held = models.get("small")
    models.refresh()
    assert models.get("small") is held


def test_no_folder(tmp_path):
    with pytest.raises(ValueError, match="There is no folder .*nothing"):
        folders.models(tmp_path / "nothing")


def test_names_from_a_request_are_no_paths(models, place):
    place(1)
    models.refresh()
    for name in ("../small", "small/1", "", ".", "/etc"):
        with pytest.raises(ServingError, match="Servable not found"):
            models.get(name)


# Warm-up


def record(request):
    log = prediction_log_pb2.PredictLog(request=request)
    return prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString()


def write_warmup(folder, *requests):
    (folder / FILE).parent.mkdir()
    with tf.io.TFRecordWriter(str(folder / FILE)) as writer:
        for request in requests:
            writer.write(record(request))


def test_a_versions_own_requests_warm_it(models, place, monkeypatch):
    request = predict_request({"x": np.float32([1, 2, 3])}, "double")
    write_warmup(place(1), request, predict_request({"rgb": RGB, "pose": POSE}))
    calls = []
    monkeypatch.setattr(
        servable.Servable, "answer", lambda self, name, inputs: calls.append(name)
    )
    models.refresh()
    assert calls == ["double", "serving_default"]


def test_a_warmup_that_does_not_fit_fails_the_version(models, place, said):
    write_warmup(place(1), predict_request({"x": np.float32([1])}, "nothing"))
    models.refresh()
    assert models.names() == [] and 'a signature "nothing"' in said[0]


def test_a_warmup_may_be_of_any_batch(models, place):
    x = np.zeros(5000, "float32")
    write_warmup(place(1), predict_request({"x": x}, "double"))
    models.refresh()
    assert models.names() == ["small"]


def test_zeros_that_are_refused_are_only_said(models, place, said, monkeypatch):
    place(1)

    def fail(signature):
        raise TypeError("no zeros of this type")

    monkeypatch.setattr(warmup, "_row_of_zeros", fail)
    models.refresh()
    assert models.names() == ["small"]
    assert "double was not warmed by zeros: no zeros of this" in " ".join(said)
