"""Files that are read batch by batch give the numbers of those in memory."""

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets.columns.read_rows import ReadRows
from keras_fusion.experiments import comparison, evaluation, recipes, training
from keras_fusion.experiments.ahead import Ahead
from keras_fusion.experiments.tasks import task_of
from tests.experiments import streamed
from tests.experiments.test_training import assert_same, stop_after


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return streamed.write_files(tmp_path_factory.mktemp("files"))


def recipe(folder, stream):
    return recipes.read(str(streamed.write_recipe(folder, stream)))


def test_nothing_but_the_time_of_reading_differs(folder, tmp_path):
    found = {}
    for stream in ("true", "false"):
        own = recipe(folder, stream)
        data = recipes.load_data(own, 0)
        record = training.fit(own, data, 0, tmp_path / stream)
        model = comparison.trained(own, data, tmp_path / stream)
        found[stream] = (
            record.history["loss"],
            evaluation.missing_scores(model, data.test, task_of(data).score),
            evaluation.class_weights(model, data.test, data.class_names),
            data,
        )
    read, whole = found["true"], found["false"]
    assert isinstance(read[3].train.inputs["scan"], ReadRows)
    assert read[3].notes == whole[3].notes and "cannot be read" in read[3].notes[0]
    for part in ("train", "validation", "test"):
        one, other = getattr(read[3], part), getattr(whole[3], part)
        np.testing.assert_array_equal(one.modality_mask, other.modality_mask)
        for name, x in other.inputs.items():
            assert one.inputs[name].shape == x.shape
            np.testing.assert_array_equal(np.asarray(one.inputs[name]), x)
    np.testing.assert_allclose(read[0], whole[0], rtol=1e-5)
    assert read[1] == whole[1]  # of 8 rows, none of which is near the border
    for name, weights in whole[2].items():
        assert read[2][name] == pytest.approx(weights, abs=1e-5)


def test_a_stream_that_was_stopped_goes_on(folder, tmp_path, monkeypatch):
    own = recipes.changed(recipe(folder, "true"), patience=0)  # keeps the last weights
    data = recipes.load_data(own, 0)
    record = training.fit(own, data, 0, tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after(0, patch)
        training.fit(own, data, 0, tmp_path / "stopped", checkpoint_every=0)
    again = training.fit(own, recipes.load_data(own, 0), 0, tmp_path / "stopped")
    assert again.history == record.history
    assert_same(tmp_path / "whole", tmp_path / "stopped")


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_run_of_other_files_is_another(folder):
    rows = recipes.load_data(recipe(folder, "true"), 0).train.inputs["scan"]
    before = rows.fingerprint()
    assert rows.take(np.arange(len(rows))).fingerprint() == before
    assert rows.take(np.arange(len(rows))[::-1]).fingerprint() != before
    assert rows[3].shape == (8, 8, 3) and rows[2:4].dtype == np.uint8
    assert np.asarray(rows[[1, 0]])[1].tolist() == rows[0].tolist()


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_only_tables_are_streamed():
    with pytest.raises(datasets.DataError, match="stream are for table:FILE"):
        datasets.load("mfeat", stream=True)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_what_comes_next_is_begun_and_anything_may_be_asked():
    asked = []

    def read(x):
        asked.append(x)
        return -x

    ahead = Ahead(read)
    assert [ahead((x,), (x + 1,)) for x in (1, 2, 3)] == [-1, -2, -3]
    assert ahead((9,), (1,)) == -9

    assert asked.count(2) == asked.count(3) == asked.count(9) == 1
