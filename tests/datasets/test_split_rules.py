"""Laws of splits: every row is in one part, and no group in two."""

import collections
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_fusion import datasets
from keras_fusion.datasets import DataError
from keras_fusion.datasets.dataset import Raw
from keras_fusion.datasets.preparation import choose_rows

ROWS = 60
X = {"a": np.arange(float(ROWS))[:, None]}
CLASSES = np.arange(ROWS) % 3


def rows_of(split="stratified", seed=0, groups=None, is_train=None, **reserved):
    raw = Raw(X, CLASSES, is_train, reserved=reserved)
    return choose_rows(raw, seed, None, False, groups=groups, split=split)[0]


@settings(max_examples=60, deadline=None)
@given(
    split=st.sampled_from(["stratified", "random", "fold:1/3", "fold:5/5"]),
    seed=st.integers(0, 99),
    groups=st.none() | st.lists(st.integers(0, 9), min_size=ROWS, max_size=ROWS),
    fixed=st.booleans(),
)
def test_every_row_is_in_one_part_and_no_group_in_two(split, seed, groups, fixed):
    given_groups = {} if groups is None else {"patient": np.array(groups)}
    is_train = None
    if fixed:  # by whole groups
        is_train = np.array(groups if groups else range(ROWS)) % 5 > 0
    try:
        rows = rows_of(split, seed, groups and "patient", is_train, **given_groups)
    except DataError:  # too few groups for the parts
        assert groups is not None and len(set(groups)) < 8
        return
    assert sorted(np.concatenate(rows)) == list(range(ROWS))
    if groups is not None:
        parts = [{groups[i] for i in part} for part in rows]
        assert sum(map(len, parts)) == len(set(groups))
    if fixed:
        assert rows.test.tolist() == np.flatnonzero(~is_train).tolist()


@pytest.mark.parametrize("groups", [None, np.arange(ROWS) // 4])
@pytest.mark.parametrize("count", [3, 5, 7])
def test_over_all_folds_every_row_tests_once_and_validates_once(groups, count):
    given_groups = {} if groups is None else {"patient": groups}
    name = None if groups is None else "patient"
    folds = [
        rows_of(f"fold:{k}/{count}", groups=name, **given_groups)
        for k in range(1, count + 1)
    ]
    for part in ("test", "validation"):
        counts = collections.Counter(i for f in folds for i in getattr(f, part))
        assert counts == dict.fromkeys(range(ROWS), 1)
    if groups is None:
        for f in folds:
            assert np.ptp(np.bincount(CLASSES[f.test], minlength=3)) <= 1


def test_the_latest_rows_test_and_a_moment_is_in_one_part():
    days = np.random.default_rng(0).integers(0, 20, ROWS)
    train, validation, test = rows_of("time:day", day=days)
    assert days[train].max() < days[validation].min()
    assert days[validation].max() < days[test].min()
    assert len(test) >= ROWS / 5 and len(train) > ROWS / 3


TIMES = {
    "text": [f"2024-03-{1 + i // 2:02d}" for i in range(ROWS)],
    "text with hours": [
        f"2024-03-{1 + i // 2:02d}T{i % 24:02d}:30" for i in range(ROWS)
    ],
    "dates": [date(2000 + i, 1, 1) for i in range(ROWS)],
    "moments": [datetime(2000 + i, 1, 1, tzinfo=UTC) for i in range(ROWS)],
    "years as text": [str(1900 + 10 * i) for i in range(ROWS)],
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_of_any_kind_are_ordered(times):
    order = np.argsort(np.array(times, str), kind="stable")
    values = np.array(times, object)[np.random.default_rng(0).permutation(ROWS)]
    found = rows_of("time:t", t=values)
    assert max(map(str, values[found.train])) < min(map(str, values[found.test]))
    assert len(order) == ROWS


def test_a_column_says_it():
    parts = np.array((["train"] * 3 + ["Val ", "test"]) * 12, object)
    rows = rows_of("column:part", part=parts)
    assert [len(part) for part in rows] == [36, 12, 12]
    with pytest.raises(DataError, match="'part'; received 'hold out' in row 1 "):
        rows_of("column:part", part=np.array(["test", "hold out"] * 30, object))


FAULTS = {
    "no such rule": (dict(split="by luck"), "split to be one of .*received 'by luck'"),
    "fold": (dict(split="fold:4/3"), "K from 1 to N"),
    "two folds": (dict(split="fold:1/2"), "N from 3"),
    "no time": (
        dict(split="time:t", t=np.array(["2024-01-01", "soon"] * 30)),
        "received 'soon' in row 1 ",
    ),
    "group in two parts": (
        dict(
            split="column:part",
            groups="who",
            part=np.array(["train", "validation", "test"] * 20),
            who=np.arange(ROWS) // 2,
        ),
        "rows of the group .* are in train and in validation",
    ),
    "no group": (
        dict(groups="who", who=np.array(["a", None] * 30, object)),
        "group 'who' is missing in row 1, 3",
    ),
    "few groups": (
        dict(groups="who", split="fold:1/5", who=np.arange(ROWS) % 4),
        "5 folds need as many groups; there are 4",
    ),
    "two rules": (
        dict(split="column:part", is_train=CLASSES > 0, part=CLASSES),
        "is_train fixes what tests",
    ),
}


@pytest.mark.parametrize("changes, message", FAULTS.values(), ids=FAULTS)
def test_faults(changes, message):
    with pytest.raises(DataError, match=message):
        rows_of(**changes)


def test_columns_that_split_are_no_modality(tmp_path):
    lines = ["a,who,day,y"]
    lines += [f"{i / 7},p{i // 3},{i},{'no' if i % 2 else 'yes'}" for i in range(ROWS)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(lines))
    data = datasets.load(f"csv:{path}", groups="who")
    assert list(data.input_shapes) == ["a", "day"] and data.left_out == ("who",)
    data = datasets.load(f"csv:{path}", split="time:day", ignore=["who"])
    assert list(data.input_shapes) == ["a"]
    assert data.test.inputs["a"].min() > data.train.inputs["a"].max()
    with pytest.raises(DataError, match="column 'whom', .*the closest is 'who'"):
        datasets.load(f"csv:{path}", groups="whom")
    with pytest.raises(DataError, match="mfeat: ignore, groups"):
        datasets.load("mfeat", groups="who")


@pytest.mark.parametrize("fixed", [False, True])
def test_over_all_folds_every_row_that_does_not_test_validates_once(fixed):
    is_train = np.arange(ROWS) % 4 > 0 if fixed else None
    folds = [rows_of(f"validation:{k}/4", is_train=is_train) for k in range(1, 5)]
    usual = rows_of(is_train=is_train)
    assert all(rows.test.tolist() == usual.test.tolist() for rows in folds)
    validated = np.concatenate([rows.validation for rows in folds])
    assert sorted(validated) == sorted([*usual.train, *usual.validation])
