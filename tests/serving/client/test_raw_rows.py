"""Rows of a table as `serving_raw` takes them, gaps and files included."""

import datetime

import numpy as np
import pytest

from keras_fusion.serving.client.rows import raw_arrays
from keras_fusion.serving.description import Described, Tensor

TEXT, NUMBER = Tensor(np.dtype(object), (None,)), Tensor(np.dtype("float64"), (None,))
SIGNATURE = Described(
    {"when": TEXT, "scan": TEXT, "Age_years": NUMBER, "ill": TEXT}, {}
)


def test_rows_have_gaps_files_and_further_columns(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(b"\x89PNG\0\0")
    rows = [
        {"Age (years)": 31, "scan": path, "ill": True, "doctor": "x"},
        {"when": datetime.date(2024, 2, 29), "Age (years)": None, "ill": float("nan")},
    ]
    arrays = raw_arrays(rows, SIGNATURE)
    assert arrays["scan"].tolist() == [b"\x89PNG\0\0", b""]
    assert arrays["when"].tolist() == [b"", b"2024-02-29"]
    assert arrays["ill"].tolist() == [b"true", b""]
    np.testing.assert_array_equal(arrays["Age_years"], [31, np.nan])


@pytest.mark.parametrize(
    "rows, message",
    [
        ([], "Expected rows with some of"),
        ([{"height": 1}], "received .'height'."),
        ([{"Age (years)": "old"}], "Expected numbers in 'Age_years'"),
    ],
)
def test_rows_that_do_not_fit_are_one_sentence(rows, message):
    with pytest.raises(ValueError, match=message):
        raw_arrays(rows, SIGNATURE)
