import numpy as np
import pytest

from keras_fusion.playground import rows
from keras_fusion.playground.shown import shown
from tests.cli.running import succeed
from tests.experiments import runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("torch", reason="no backend changes it"),
]


def kinds(found):
    return {
        modality: [(column.name, column.kind) for column in columns]
        for modality, columns in found.seen.items()
    }


def test_training_leaves_rows(model):
    found = rows.kept(model)
    assert kinds(found) == {
        "photo": [("photo", "picture")],
        "call": [("call", "sound")],
        "table": [("weight", "text"), ("where", "text")],
    }
    count = len(found.names)
    assert found.present.shape == (count, 3) and not found.present.all()
    photos = found.seen["photo"][0].values
    there = [shown("picture", photo) is not None for photo in photos]
    np.testing.assert_array_equal(there, found.present[:, 0])


def test_a_file_of_a_persons_own(model, monkeypatch):
    monkeypatch.setattr(rows, "MOST", 10)
    found = rows.of_file(model, model.parents[4] / "birds.csv")
    np.testing.assert_array_equal(found.present[:, 0], np.arange(10) % 5 > 0)
    np.testing.assert_array_equal(found.present[:, 1], np.arange(10) % 7 > 0)
    assert len(found.names) == 10 and found.inputs["photo"].shape == (10, 12, 12, 3)
    assert found.seen["call"][0].values[1].startswith(b"RIFF")


def test_arrays_are_shown_as_they_are(tmp_path):
    recipe = runs.write(tmp_path)
    succeed("train", recipe, "--seeds", 0, "--quiet", "--runs", tmp_path / "runs")
    (model,) = tmp_path.rglob("model.keras")
    assert kinds(rows.kept(model)) == {"a": [("", "numbers")], "b": [("", "numbers")]}
    found = rows.of_file(model, tmp_path / "data.npz")
    assert found.present[:, 0].tolist() == [i % 10 > 0 for i in range(100)]
    (model.parent / "samples.npz").unlink()
    with pytest.raises(ValueError, match="--rows FILE"):
        rows.kept(model)


def test_a_few_columns_are_told_apart():
    few, many = np.ones((2, 3)), np.ones((2, 13))
    names = [f"c{i}" for i in range(13)]
    assert [c.name for c in rows._of_arrays(names[:3], few)] == names[:3]
    assert [c.kind for c in rows._of_arrays(names, many)] == ["numbers"]
