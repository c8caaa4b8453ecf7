"""Numbers of a table take their ranks where those tell more."""

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets import DataError

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def table():
    """Two columns of numbers: one of which the size counts, one with long tails."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    clear, hidden = (2.0 * y + rng.normal(size=120) for _ in range(2))
    return {"clear": clear, "tail": np.exp(4 * hidden), "y": np.where(y, "b", "a")}


SPEC = {m: {"columns": [m]} for m in ("clear", "tail")}


def read(scale="auto", modalities=SPEC, **options):
    return datasets.table(
        table(), label="y", modalities=modalities, scale=scale, **options
    )


def by_ranks(data):
    columns = data.preprocessor.modalities.values()
    return [c.name for own in columns for c in own if "points" in c.state]


def test_long_tails_are_found():
    data = read()
    assert "tail" in by_ranks(data)
    assert any("tail by quantile" in note for note in data.notes)


def test_the_ranks_are_of_all_rows_that_train():
    for options in ({}, {"train_on_validation": True}):
        data = read("quantile", **options)
        tail = data.preprocessor.modalities["tail"][0].state
        rows = len(data.train.labels)
        values = np.sort(table()["tail"])
        assert len(tail["points"]) > 100 and tail["mean"] < values[-1]
        ranks = data.train.inputs["tail"][:, 0]
        assert len(np.unique(ranks)) == rows and abs(np.mean(ranks)) < 0.05


@pytest.mark.parametrize(
    ("scale", "ranked"),
    [("feature", []), ({"tail": "quantile", "*": "feature"}, ["tail"])],
)
def test_what_somebody_said_stays(scale, ranked):
    data = read(scale)
    assert by_ranks(data) == ranked
    assert not any("linear model" in note for note in data.notes)


def test_the_scale_of_a_column_stands_above_that_of_its_modality():
    options = {"kind": "number", "scale": "standard"}
    spec = {"all": {"columns": {"tail": options, "clear": "number"}}}
    assert by_ranks(read("quantile", spec)) == ["clear"]
    alone = {"a": {"number": "tail", "scale": "standard"}}
    assert by_ranks(read("quantile", alone)) == []


def test_one_deviation_for_columns_of_other_units_is_refused():
    with pytest.raises(DataError, match="columns have units of their own; .*'modality"):
        read("modality")
