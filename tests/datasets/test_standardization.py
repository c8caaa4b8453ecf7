import numpy as np
import pytest

from keras_fusion.datasets import modality_mask, standardize
from keras_fusion.datasets.scaled_rows import ScaledRows
from keras_fusion.datasets.standardization import measure, scaled_rows

NAN = np.nan
INPUTS = {
    "a": np.array([[1, 5], [3, 5], [NAN, NAN], [NAN, 5]], np.float32),
    "b": np.array([[[0.0]], [[4.0]], [[2.0]], [[NAN]]], np.float32),
}


def test_by_hand():
    statistics = measure(INPUTS)
    assert [x.tolist() for x in statistics["a"]] == [[2, 5], [1, 1]]
    scaled, notes = standardize(INPUTS, statistics)
    np.testing.assert_array_equal(scaled["a"], [[-1, 0], [1, 0], [NAN, NAN], [0, 0]])
    np.testing.assert_allclose(
        scaled["b"].ravel(), [-(1.5**0.5), 1.5**0.5, 0, NAN], rtol=1e-6
    )
    assert scaled["a"].dtype == scaled["b"].dtype == np.float32
    assert notes == ("imputed 1 NaN cell of modality 'a' with the training mean",)


def test_inputs_stay_as_they_were():
    before = {name: x.copy() for name, x in INPUTS.items()}
    standardize(INPUTS, measure(INPUTS))
    for name, x in INPUTS.items():
        np.testing.assert_array_equal(x, before[name])


def test_mask_is_false_where_all_is_nan():
    expected = [[True, True], [True, True], [False, True], [True, False]]
    mask = modality_mask(INPUTS)
    assert mask.dtype == bool and mask.tolist() == expected
    swapped = modality_mask(dict(reversed(INPUTS.items())))
    assert swapped.tolist() == [row[::-1] for row in expected]


def test_a_constant_that_float32_would_round_has_deviation_one():
    mean, std = measure({"a": np.full((1001, 1), 0.1, np.float32)})["a"]
    assert mean == np.float32(0.1) and std == 1


def test_order_is_that_of_the_statistics():
    scaled, _ = standardize(dict(reversed(INPUTS.items())), measure(INPUTS))
    assert list(scaled) == ["a", "b"]


def test_absent_in_every_row_takes_the_shape_of_training():
    scaled, notes = standardize(
        {"a": INPUTS["a"][:2], "b": np.full((2, 1), NAN)}, measure(INPUTS)
    )
    assert scaled["b"].shape == (2, 1, 1) and np.isnan(scaled["b"]).all()
    assert scaled["b"].dtype == np.float32 and notes == ()


def test_a_feature_without_a_number():
    with pytest.raises(ValueError, match="'a' is NaN .* at feature 1 "):
        measure({"a": np.array([[1.0, NAN], [2.0, NAN]])})


@pytest.mark.parametrize(
    "inputs, message",
    [
        ({"a": INPUTS["a"]}, "modalities a, b; received a"),
        (INPUTS | {"c": INPUTS["a"]}, "modalities a, b; received a, b, c"),
        (INPUTS | {"a": INPUTS["a"][:, :1]}, r"\('rows', 2\); received \(4, 1\)"),
    ],
)
def test_other_modalities_or_shapes(inputs, message):
    with pytest.raises(ValueError, match=message):
        standardize(inputs, measure(INPUTS))


def test_a_feature_of_maps_is_a_channel():
    maps = np.arange(24, dtype=np.float32).reshape(2, 2, 3, 2)
    maps[0, 0, 0, 0] = NAN
    mean, std = measure({"a": maps})["a"]
    assert mean.shape == std.shape == (2, 3, 2)
    for channel in (0, 1):
        assert np.ptp(mean[..., channel]) == np.ptp(std[..., channel]) == 0
        assert mean[0, 0, channel] == np.nanmean(maps[..., channel])
        assert std[0, 0, channel] == pytest.approx(np.nanstd(maps[..., channel]))


def test_maps_are_scaled_and_imputed_as_they_are_read():
    maps = np.random.default_rng(0).normal(3, 2, (9, 4, 5, 2)).astype(np.float32)
    maps[2], maps[4, 1, 1, 0] = NAN, NAN
    there, rows = modality_mask({"maps": maps})[:, 0], np.array([4, 2, 7])
    scale = measure({"maps": maps}, rows=np.array([0, 1, 3]))["maps"]
    made, imputed = scaled_rows(maps, rows, there, scale)
    z = (maps.astype(np.float64) - scale.mean) / scale.std
    z[4, 1, 1, 0] = 0
    assert isinstance(made, ScaledRows) and imputed == 1
    np.testing.assert_allclose(np.asarray(made), z[rows], rtol=1e-6)
    np.testing.assert_allclose(made[np.array([2, 0])], z[[7, 4]], rtol=1e-6)
    np.testing.assert_allclose(made[1:], z[[2, 7]], rtol=1e-6)
