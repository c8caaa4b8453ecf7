"""What a person says of labels: an order, or times and events."""

import numpy as np
import pytest

from keras_fusion import datasets
from keras_fusion.datasets import labels, times
from keras_fusion.datasets.asked import asked

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def encoded(values, order=()):
    found, names = labels.encode(np.array(values), len(values), "ordinal", order)
    return found.tolist(), names


def test_an_order_numbers_the_classes():
    order = ("low", "mid", "high", "none was seen")
    assert encoded(["high", "low", "mid"], order) == ([2, 0, 1], order)
    assert encoded([10, 9, 3]) == ([2, 1, 0], ("3", "9", "10"))
    assert encoded([1.0, 3.0, 2.0], ("3", "2", "1")) == ([2, 0, 1], ("3", "2", "1"))


FAULTS = {
    "misses": (["a", "b", "c"], ("a", "b"), "order misses the label 'c' of row 2 "),
    "twice": (["a", "b"], ("a", "b", "a"), "order names 'a' twice"),
    "one": (["a", "a"], ("a",), "at least two classes; there is a"),
    "words": (["2", "low"], (), r"expected an order, .* label 'low' is no whole"),
    "fractions": ([1.0, 2.5], (), r"expected an order, .* label '2.5' is no whole"),
}


@pytest.mark.parametrize("values, order, message", FAULTS.values(), ids=FAULTS)
def test_what_has_no_order_is_named(values, order, message):
    with pytest.raises(datasets.DataError, match=message):
        encoded(values, order)


def test_the_task_follows_from_what_is_said():
    assert asked(None, "y", ("a", "b")).named == "ordinal"
    assert asked(None, "y", time="t", event="e")[:2] == ("risk", ("t", "e"))
    assert asked("survival", "y", time="t", event="e").named == "survival"
    assert asked(None, "y").named is asked("regression", "y").named is None


TOGETHER = {
    "no event": ({"time": "t"}, "received time without event"),
    "no time": ({"event": "e"}, "received event without time"),
    "the same": ({"time": "t", "event": "t"}, "two columns, time and event"),
    "no columns": ({"task": "risk"}, '"risk" needs the columns time and event'),
    "another task": (
        {"task": "ordinal", "time": "t", "event": "e"},
        'are for task = "risk" or "survival"; received \'ordinal\'',
    ),
    "an order of none": (
        {"task": "regression", "order": ("a", "b")},
        "order is for task = \"ordinal\"; received 'regression'",
    ),
}


@pytest.mark.parametrize("said, message", TOGETHER.values(), ids=TOGETHER)
def test_what_does_not_fit_together_is_named(said, message):
    with pytest.raises(datasets.DataError, match=message):
        asked(**{"task": None, "label": "y"} | said)


def table(**changed):
    count = 40
    columns = {
        "age": np.arange(count) % 7 + 0.5,
        "days": [f"{k}.5" for k in range(count)],
        "died": ["yes", "no"] * (count // 2),
    }
    return columns | changed


def test_a_table_has_times_and_events():
    data = datasets.table(table(), time="days", event="died")
    assert (data.task, data.classes, data.class_names) == ("risk", 1, ())
    assert data.label == ("days", "died") and [*data.input_shapes] == ["table"]
    assert data.train.labels.dtype == np.float32 and data.target is None
    cuts = np.quantile(data.train.labels[data.train.labels[:, 1] > 0, 0], [0.1, 0.9])
    assert [data.times[0], data.times[-1]] == pytest.approx(cuts.tolist())
    shares = [part.labels[:, 1].mean() for part in (data.train, data.test)]
    assert shares == [0.5, 0.5]  # both parts have events in proportion
    data = datasets.table(table(), time="days", event="died", task="survival")
    assert data.classes == len(data.times) + 1 == times.INTERVALS
    assert data.output_names[0] == f"{data.times[0]:.6g}"


def test_rows_without_a_time_are_left_out():
    days = [None, *table()["days"][1:]]
    data = datasets.table(table(days=days), time="days", event="died")
    assert "1 row without a label 'days' is left out" in data.notes


CELLS = {
    "negative": ({"days": [-1.0] + [2.0] * 39}, "from 0 in 'days'; received '-1.0' "),
    "a word": ({"days": ["soon"] + ["2"] * 39}, "from 0 in 'days'; received 'soon' in"),
    "no events": ({"died": ["no"] * 40}, "'died' is false in all 40"),
    "no truth": ({"died": ["yes", "perhaps"] * 20}, "label 'died'; received 'perhaps'"),
}


@pytest.mark.parametrize("changed, message", CELLS.values(), ids=CELLS)
def test_times_that_are_none_are_named(changed, message):
    with pytest.raises(datasets.DataError, match=message):
        datasets.table(table(**changed), time="days", event="died")


def test_times_are_of_tables(tmp_path):
    with pytest.raises(datasets.DataError, match="are for table:FILE"):
        datasets.load("npz:data.npz", time="t", event="e")
