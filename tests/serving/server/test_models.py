"""What lies in the folder decides what is served, and when."""

import shutil
import threading
import time
import weakref

import numpy as np
import pytest

from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.server import servable
from keras_fusion.serving.server.models import Models
from tests.serving.saved_model import POSE, RGB


def states(models, name="small"):
    return {v: found.state for v, found in models.states(name).items()}


def test_the_newest_version_answers(models, place, said):
    place(1)
    place(10)
    models.refresh()
    assert models.get("small").version == 10 and states(models) == {10: "AVAILABLE"}
    with pytest.raises(ServingError, match="no version 1 of"):
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


def test_the_old_one_answers_until_the_new_one_is_loaded(models, place, monkeypatch):
    place(1)
    models.refresh()
    place(2)
    answering = []
    load = servable.Servable.__init__

    def spy(self, folder):
        load(self, folder)
        answering.append(models.get("small").version)

    monkeypatch.setattr(servable.Servable, "__init__", spy)
    models.refresh()
    assert answering == [1] and models.get("small").version == 2


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
    with pytest.raises(ServingError, match="no version 7 of"):
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
