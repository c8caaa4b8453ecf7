"""Several labels at once, as text with `|` and as columns of truth values."""

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets import DataError, multilabel

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

ROWS = 60
TABLE = {
    "size": np.random.default_rng(0).normal(size=ROWS),
    "cat": ["yes", "no", "no"] * 20,
    "big dog": [0, 1] * 30,
}


def test_text_names_its_labels():
    labels, names = multilabel.encode(np.array(["b | a", "", "a|", "c"], object), 4)
    assert names == ("a", "b", "c")
    assert labels.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_columns_of_a_table_are_labels_and_no_inputs():
    data = datasets.table(TABLE, label=["cat", "big dog"])
    assert data.class_names == ("cat", "big dog") and data.task == "multilabel"
    assert data.columns == {"table": ("size",)} and data.classes == 2
    parts = data.train, data.validation, data.test
    whole = np.concatenate([part.labels for part in parts])
    assert whole.dtype == np.int32 and whole.sum(axis=0).tolist() == [20, 30]
    assert any("several labels at once" in note for note in data.notes)
    assert data.schema.label == "cat" and data.schema.left_out == ("big dog",)


def test_a_task_decides_what_text_means():
    table = {"size": TABLE["size"], "y": ["a|b", "a", "b"] * 20}
    assert datasets.table(table, label="y").class_names == ("a", "b")
    one = datasets.table(table, label="y", task="classification")
    assert one.class_names == ("a", "a|b", "b") and one.train.labels.ndim == 1


def test_rare_labels_are_in_every_part():
    rare = np.zeros(ROWS, int)
    rare[:6] = 1
    labels = np.stack([rare, np.arange(ROWS) % 2, np.ones(ROWS, int)], axis=1)
    assert np.bincount(multilabel.rarest(labels)).tolist() == [6, 27, 27]
    for seed in range(5):
        table = {"size": TABLE["size"], "rare": rare, "other": TABLE["big dog"]}
        data = datasets.table(table, label=["rare", "other"], seed=seed)
        assert data.validation.labels[:, 0].sum() == data.test.labels[:, 0].sum() == 1


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        ({"cat": ["yes", "no", "maybe"] * 20}, {}, "true or false.*'cat'.*'maybe'"),
        ({}, {"label": ["big dog"]}, "at least two labels"),
        ({}, {"label": ["cat", "owl"]}, "no column 'owl'"),
        ({}, {"labels_per_class": 2}, "labels_per_class needs classes, one for each"),
    ],
)
def test_a_fault_is_one_sentence(changed, options, message):
    with pytest.raises(DataError, match=message):
        datasets.table(TABLE | changed, **{"label": ["cat", "big dog"]} | options)


def test_other_files_have_one_label():
    with pytest.raises(DataError, match="are for table:FILE"):
        datasets.load("mfeat", label=["a", "b"])
