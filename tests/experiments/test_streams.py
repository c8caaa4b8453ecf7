"""Files that are read batch by batch give the numbers of those in memory."""

import numpy as np
import pytest
from PIL import Image

from keras_fusion import datasets
from keras_fusion.datasets.columns.read_rows import ReadRows
from keras_fusion.experiments import comparison, evaluation, training
from keras_fusion.experiments import recipe as recipes
from keras_fusion.experiments.ahead import Ahead
from keras_fusion.experiments.tasks import task_of

ROWS = 40
RECIPE = """
dataset = "table:{path}"
stream = {stream}

[modalities.scan]
image = "scan"
size = [8, 8]
[modalities.series]
array = "series"

[arguments]
units = 4
fusion = "ModalityAttention"

[training]
epochs = 2
batch_size = 8
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of pictures, one of which is broken, and series, one of which is none."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    lines = ["scan,series,y"]
    for row in range(ROWS):
        Image.fromarray(rng.integers(0, 256, (9, 9, 3), "uint8")).save(
            folder / f"{row}.png"
        )
        np.save(folder / f"{row}.npy", rng.normal(size=(4, 2)))
        series = "" if row == 5 else f"{row}.npy"
        lines.append(f"{row}.png,{series},{'ab'[row % 2]}")
    (folder / "3.png").write_bytes(b"broken")
    (folder / "t.csv").write_text("\n".join(lines))
    return folder


def recipe(folder, stream):
    path = folder / f"{stream}.toml"
    path.write_text(RECIPE.format(path=folder / "t.csv", stream=stream))
    return recipes.read(str(path))


def test_nothing_but_the_time_of_reading_differs(folder, tmp_path):
    found = {}
    for stream in ("true", "false"):
        own = recipe(folder, stream)
        data = recipes.load_data(own, 0)
        record = training.fit(own, data, 0, tmp_path / stream)
        model = comparison.trained(own, data, tmp_path / stream)
        found[stream] = (
            record["history"]["loss"],
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
