import numpy as np
import pytest

from keras_fusion.datasets.labels import encode

CLASSES = {
    "strings": (["dog", "cat", "dog"], ["cat", "dog"], [1, 0, 1]),
    "objects": (np.array(["b", "a", "b"], object), ["a", "b"], [1, 0, 1]),
    "integers in numeric order": ([10, 9, 10], ["9", "10"], [1, 0, 1]),
    "booleans": ([True, False, True], ["False", "True"], [1, 0, 1]),
    "whole floats": ([3.0, -1.0, 3.0], ["-1", "3"], [1, 0, 1]),
}


@pytest.mark.parametrize("labels, names, numbers", CLASSES.values(), ids=CLASSES)
def test_classes(labels, names, numbers):
    encoded, class_names = encode(np.array(labels), 3)
    assert encoded.dtype == np.int32
    assert encoded.tolist() == numbers and class_names == tuple(names)


def test_regression_keeps_the_numbers():
    encoded, class_names = encode(np.array([1.0, 2.5, 2.5]), 3)
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [1.0, 2.5, 2.5] and class_names == ()


FAULTS = {
    "shape": (np.eye(3), r"shape \(3,\), or masks .*; received \(3, 3\)"),
    "count": ([1, 2], r"shape \(3,\), or masks .*; received \(2,\)"),
    "NaN": ([1.5, np.nan, np.inf], "missing .* in row 1, 2 "),
    "null": (np.array(["a", None, "b"], object), "missing .* in row 1 "),
    "NaN object": (np.array(["a", np.nan, "b"], object), "missing .* in row 1 "),
    "bytes": ([b"a", b"b", b"a"], "strings or numbers"),
    "dates": (np.array(["2020-01-01"] * 3, "datetime64[D]"), "strings or numbers"),
    "objects": (np.array([(1,), "a", "b"], object), "strings or numbers"),
    "one class": (["a", "a", "a"], "at least two classes; all labels are a"),
}


@pytest.mark.parametrize("labels, message", FAULTS.values(), ids=FAULTS)
def test_faults(labels, message):
    with pytest.raises(ValueError, match=message):
        encode(np.asarray(labels), 3)
