import numpy as np
import pytest

from keras_fusion.datasets.splitting import split

CLASSES = np.repeat([0, 1, 2], [50, 30, 1])


def parts(is_train=None, seed=0, strata=CLASSES):
    return split(strata, is_train, np.random.default_rng(seed))


def test_three_fifths_train_in_every_class():
    train, validation, test = parts()
    assert np.bincount(CLASSES[train]).tolist() == [30, 18, 1]
    assert np.bincount(CLASSES[validation]).tolist() == [10, 6]
    assert np.bincount(CLASSES[test]).tolist() == [10, 6]


@pytest.mark.parametrize("fixed", [True, False])
def test_every_row_is_in_one_part(fixed):
    is_train = np.arange(len(CLASSES)) % 3 > 0 if fixed else None
    rows = np.concatenate(parts(is_train))
    assert sorted(rows) == list(range(len(CLASSES)))


def test_a_fixed_split_is_never_resampled():
    is_train = np.arange(len(CLASSES)) % 3 > 0
    first, second = parts(is_train, seed=0), parts(is_train, seed=1)
    for rows in (first, second):
        assert rows.test.tolist() == np.flatnonzero(~is_train).tolist()
    assert first.validation.tolist() != second.validation.tolist()


def test_seed_decides():
    assert parts(seed=3).test.tolist() == parts(seed=3).test.tolist()
    assert parts(seed=3).test.tolist() != parts(seed=4).test.tolist()


GROUPS = np.repeat([7, 3, 5, 1, 9], [10, 20, 5, 30, 16])


@pytest.mark.parametrize("fixed", [True, False])
def test_groups_stay_together(fixed):
    is_train = ~np.isin(GROUPS, (5, 7)) if fixed else None
    drawn = set()
    for seed in range(60):
        rows = split(CLASSES, is_train, np.random.default_rng(seed), GROUPS)
        assert sorted(np.concatenate(rows)) == list(range(len(GROUPS)))
        train, validation, test = (set(GROUPS[part].tolist()) for part in rows)
        assert len(train | validation | test) == 5 == len([*train, *validation, *test])
        assert len(validation) == 1
        assert test == {5, 7} if fixed else len(test) == 1
        drawn |= validation
    assert drawn == ({1, 3, 9} if fixed else {1, 3, 5, 7, 9})
