"""What lies in the folder decides what is served, and when."""

import errno
import shutil
import threading
import time
import types
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_fusion.serving import folders, servable, warmup
from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.models import Models
from keras_fusion.serving.warmup import FILE
from tests.serving.asking import predict_request
from tests.serving.saved_model import POSE, RGB


@pytest.fixture
def place(saved, tmp_path):
    """Copies the SavedModel to `small/<version>` under the folder."""

    def copy(version, name="small"):
        return shutil.copytree(saved, tmp_path / name / str(version))

    return copy


@pytest.fixture
def said():
    return []


@pytest.fixture
def models(tmp_path, said):
    return Models(tmp_path, say=said.append)


def states(models, name="small"):
    return {v: state.name for v, state in models.states(name).items()}


def test_the_newest_version_answers(models, place, said):
    place(1)
    place(10)
    models.refresh()
    assert models.get("small").version == 10 and states(models) == {10: "AVAILABLE"}
    with pytest.raises(ServingError, match=r"Specific\(small, 1\)"):
        models.get("small", 1)
    assert said == ["loaded small version 10"]


def test_a_new_version_takes_over_and_the_old_one_lets_go(models, place, said):
    place(1)
    models.refresh()
    place(2)
    models.refresh()
    assert models.get("small").version == 2
    assert states(models) == {2: "AVAILABLE", 1: "END"}
    assert said[1:] == ["loaded small version 2", "let go small version 1"]


def test_the_old_one_answers_until_the_new_one_is_warm(
    models, place, said, monkeypatch
):
    place(1)
    models.refresh()
    place(2)
    versions = []
    answer = servable.Servable.answer

    def spy(self, *args):
        versions.append((self.version, models.get("small").version))
        return answer(self, *args)

    monkeypatch.setattr(servable.Servable, "answer", spy)
    models.refresh()
    assert set(versions) == {(2, 1)}, "2 was warmed while 1 answered"


def test_a_request_in_flight_is_finished_by_the_version_it_began_with(models, place):
    place(1)
    models.refresh()
    held = models.get("small")
    shutil.rmtree(held.folder)
    place(2)
    models.refresh()
    assert models.get("small").version == 2
    inputs = {"rgb": RGB, "pose": POSE}
    assert held.answer("serving_default", inputs)["scores"].tolist()[0] == [6, 3]


def test_what_was_let_go_leaves_memory(models, place):
    place(1)
    models.refresh()
    old = weakref.ref(models.get("small"))
    place(2)
    models.refresh()
    assert old() is None


def test_a_version_that_goes_gives_way_to_the_one_before(models, place):
    place(1)
    place(2)
    models.refresh()
    shutil.rmtree(models.get("small").folder)
    models.refresh()
    assert models.get("small").version == 1


def test_labels_keep_their_versions(tmp_path, place):
    for version in (1, 2, 3):
        place(version)
    labels = {"small": {"stable": 1, "canary": 3, "gone": 7}}
    models = Models(tmp_path, labels=labels, say=lambda _: None)
    models.refresh()
    assert states(models) == {3: "AVAILABLE", 1: "AVAILABLE"}
    assert models.get("small", label="stable").version == 1
    assert models.get("small", label="canary").version == 3
    with pytest.raises(ServingError, match=r"Specific\(small, 7\)"):
        models.get("small", label="gone")


def test_models_come_and_go(models, place):
    place(1)
    models.refresh()
    place(5, "other")
    models.refresh()
    assert models.names() == ["other", "small"]
    shutil.rmtree(models.get("other").folder.parent)
    models.refresh()
    assert models.names() == ["small"] and states(models, "other") == {5: "END"}


def test_a_folder_of_versions_is_a_model(tmp_path, place):
    place(1)
    models = Models(tmp_path / "small", say=lambda _: None)
    models.refresh()
    assert models.names() == ["small"]


# What is no whole version


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
    monkeypatch.setattr("keras_fusion.serving.models.time", clock)
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
    assert models.names() == [] and '"nothing" not found' in said[0]


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


# Threads


@pytest.mark.slow
def test_requests_never_notice_a_swap(models, place, tmp_path):
    place(1)
    models.refresh()
    failures, answers, done = [], [], threading.Event()

    def ask():
        while not done.is_set():
            try:
                held = models.get("small")
                outputs = held.answer("double", {"x": np.float32([held.version])})
                answers.append(outputs["doubled"][0] == 2 * held.version)
                time.sleep(0.001)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for version in (2, 3):
        place(version, "beside").rename(tmp_path / "small" / str(version))
        models.refresh()
    done.set()
    for thread in threads:
        thread.join()
    assert failures == [] and answers and all(answers)
