"""Laws of scaling: whatever the unit of a feature, what a model gets is the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_fusion.datasets import modality_mask, standardize
from keras_fusion.datasets.scaled_rows import ScaledRows
from keras_fusion.datasets.scaling import SCALES, chunks
from keras_fusion.datasets.standardization import measure, scaled_rows

NAN = np.nan
UNIT = np.random.default_rng(0).normal(size=(60, 3))


def scaled(values, kind="feature"):
    inputs = {"a": values}
    return standardize(inputs, measure(inputs, scale={"a": kind}))[0]["a"]


@settings(max_examples=60, deadline=None)
@given(
    unit=st.floats(-36, 36).map(lambda power: 10.0**power),
    offset=st.floats(-1e6, 1e6),
    kind=st.sampled_from(["feature", "modality", "quantile"]),
)
def test_unit_and_offset_have_no_influence(unit, offset, kind):
    values = (UNIT + offset) * unit
    np.testing.assert_allclose(scaled(values, kind), scaled(UNIT, kind), atol=1e-5)


def test_whole_numbers_and_small_differences_survive():
    seconds = 1_700_000_000 + np.arange(360)[:, None]  # int64, beyond float32
    pressure = 101325 + 0.01 * UNIT
    assert len(np.unique(scaled(seconds))) == 360
    np.testing.assert_allclose(scaled(pressure), scaled(UNIT), atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "bool", "float16"])
def test_the_dtype_of_the_file_has_no_influence(dtype):
    values = np.random.default_rng(0).integers(0, 2, (50, 2, 3)).astype(dtype)
    np.testing.assert_array_equal(scaled(values), scaled(values.astype(np.float64)))
    assert scaled(values).dtype == np.float32


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_whole_numbers_that_are_not_scaled_stay_as_they_are(dtype):
    ids = np.array([[0], [1], [1]], dtype)
    assert scaled(ids, "none").dtype == dtype
    np.testing.assert_array_equal(scaled(ids, "none"), ids)


def test_numbers_that_are_not_scaled_keep_their_values():
    values = np.array([[1.0, 5], [3, NAN], [NAN, NAN], [5, 7]])
    expected = [[1, 5], [3, 6], [NAN, NAN], [5, 7]]  # the mean of 5 and 7
    np.testing.assert_array_equal(scaled(values, "none"), expected)


def test_one_deviation_for_a_modality():
    values = UNIT * [1, 10, 100] + [5, -5, 0]
    found = scaled(values, "modality")
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.square(found).mean(), 1, rtol=1e-5)
    ratio = found.std(axis=0) / values.std(axis=0)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)


def test_quantiles_keep_the_order_and_tame_tails():
    tails = np.exp(5 * UNIT)
    found = scaled(tails, "quantile")
    for before, after in zip(tails.T, found.T):
        assert (np.diff(after[np.argsort(before)]) >= 0).all()
    assert np.abs(found).max() < 3 and np.abs(found.mean(axis=0)).max() < 0.1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=2, max_size=30))
def test_quantiles_of_ties_are_finite_and_equal_for_equal_values(values):
    values = np.array(values)[:, None]
    found = scaled(values, "quantile")
    assert np.isfinite(found).all()
    for value in np.unique(values):
        assert np.ptp(found[values == value]) == 0


@pytest.mark.parametrize("kind", SCALES)
def test_a_constant_feature_is_finite(kind):
    assert np.isfinite(scaled(np.full((1001, 1), 0.1), kind)).all()


@pytest.mark.parametrize("shape", [(60, 3), (60, 2, 3), (60, 5, 4, 3)])
def test_rows_scaled_on_demand_are_those_scaled_at_once(shape):
    values = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    rows = np.random.default_rng(2).permutation(60)[:20]
    statistics = measure({"a": values}, rows)
    found, imputed = scaled_rows(values, rows, np.ones(60, bool), statistics["a"])
    expected, _ = standardize({"a": values[rows]}, statistics)
    expected = expected["a"]
    assert isinstance(found, ScaledRows) and imputed == 0
    assert (len(found), found.shape, found.size) == (20, expected.shape, expected.size)
    some = np.arange(20) % 3 == 0
    for index in (slice(2, 9), [3, 1], some, 5, (slice(None), 0), np.int64(2)):
        np.testing.assert_array_equal(found[index], expected[index])
    for whole in (np.asarray(found), found + 0, np.concatenate([list(found)])):
        np.testing.assert_array_equal(whole, expected)
    assert found.dtype == np.asarray(found).dtype == np.float32


def test_statistics_learn_from_their_rows_alone():
    spoilt = np.concatenate([UNIT, np.full((5, 3), 1e9)])
    found = measure({"a": spoilt}, np.arange(60))["a"]
    np.testing.assert_allclose(found.mean, UNIT.mean(axis=0))


@pytest.mark.parametrize("shape", [(10**6, 3), (3, 10**6), (0, 4), (5, 0)])
def test_chunks_cover_all_rows_once(shape):
    rows = [row for part in chunks(shape) for row in range(shape[0])[part]]
    assert rows == list(range(shape[0]))


def test_whole_numbers_are_always_there():
    inputs = {"ids": np.zeros((2, 3), int), "a": np.array([[NAN], [1.0]])}
    assert modality_mask(inputs).tolist() == [[True, False], [True, True]]
