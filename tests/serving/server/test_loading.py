"""Versions that are not whole, or fail to load."""

import shutil

import pytest

from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.server import folders
from keras_fusion.serving.server.models import Models


def states(models, name="small"):
    return {v: found.state for v, found in models.states(name).items()}


def test_junk_is_passed_over(models, place, tmp_path, said):
    folder = place(1).parent
    (folder / "latest").mkdir()
    (folder / "2").touch()
    (folder / "-3").mkdir()
    (folder / "٤").mkdir()  # a digit, but not one of TensorFlow Serving's
    (folder / ".tmp-1-2").mkdir()
    (tmp_path / "README.md").touch()
    models.refresh()
    assert models.get("small").version == 1
    assert said == ["loaded small version 1"]


def test_a_half_copied_version_waits_for_the_rest(models, place, said):
    whole = place(1)
    models.refresh()
    half = whole.parent / "2"
    half.mkdir()
    models.refresh()
    assert said == ["loaded small version 1"]
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


def test_a_folder_that_cannot_be_looked_at_changes_nothing(models, place, monkeypatch):
    folder = place(1).parent
    models.refresh()

    def fail(self):
        raise OSError("Too many open files")

    with monkeypatch.context() as broken:
        broken.setattr(type(folder), "iterdir", fail)
        with pytest.raises(OSError, match="Too many open files"):
            models.refresh()
    assert models.names() == ["small"]


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
    assert models.names() == [] and said == []


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
        with pytest.raises(ServingError, match="There is no version"):
            models.get(name)
