import numpy as np
import pytest

from keras_fusion.datasets.labels import encode, encode_masks

CLASSES = {
    "strings": (["dog", "cat", "dog"], ["cat", "dog"], [1, 0, 1]),
    "objects": (np.array(["b", "a", "b"], object), ["a", "b"], [1, 0, 1]),
    "integers in numeric order": ([10, 9, 10], ["9", "10"], [1, 0, 1]),
    "booleans": ([True, False, True], ["False", "True"], [1, 0, 1]),
    "whole floats": ([3.0, -1.0, 3.0], ["-1.0", "3.0"], [1, 0, 1]),
    "text of numbers": (["10", "9", "010"], ["9", "010", "10"], [2, 0, 1]),
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


MASKS = np.array([[[0, 5, 5], [0, 0, 9]]])


def test_masks_are_numbered_by_their_values():
    encoded, names = encode_masks(MASKS)
    assert encoded.dtype == np.uint8 and names == ("0", "5", "9")
    assert encoded.tolist() == [[[0, 1, 1], [0, 0, 2]]]


def test_masks_of_two_values_are_foreground():
    encoded, names = encode_masks(np.where(MASKS == 5, 255, 0))
    assert encoded.tolist() == [[[0, 1, 1], [0, 0, 0]]] and names == ("foreground",)


def test_masks_of_named_classes_keep_their_numbers():
    encoded, names = encode_masks(MASKS > 5, ("cup",))
    assert encoded.tolist() == [[[0, 0, 0], [0, 0, 1]]] and names == ("cup",)
    encoded, _ = encode_masks(np.array([[[0, 2]]]), ("a", "b", "c"))
    assert encoded.tolist() == [[[0, 2]]]  # though no pixel is b


@pytest.mark.parametrize(
    "masks, names, message",
    [
        (MASKS, ("a", "b"), "of the classes a, b; received the values 0, 5, 9"),
        (MASKS / 2, (), "whole numbers in the masks"),
        (np.where(MASKS == 5, np.nan, 0), (), "whole numbers in the masks"),
        (MASKS * 0, (), "at least two classes; all pixels are 0"),
        (MASKS.astype(str), (), "whole numbers in the masks; received <U"),
    ],
)
def test_masks_that_are_none(masks, names, message):
    with pytest.raises(ValueError, match=message):
        encode_masks(masks, names)


def test_pixels_of_255_beside_counted_classes_are_those_nobody_labeled():
    masks = np.array([[[0, 1, 2]], [[255, 2, 0]]])
    encoded, names = encode_masks(masks)
    assert names == ("0", "1", "2")
    np.testing.assert_array_equal(encoded, masks)
    pair, names = encode_masks(np.array([[[0, 1, 255]]]))
    assert names == ("foreground",) and pair.tolist() == [[[0, 1, 255]]]
    named, _ = encode_masks(masks, ("a", "b", "c"))
    np.testing.assert_array_equal(named, masks)
    others, names = encode_masks(np.array([[[0, 128, 255]]]))  # three levels of gray
    assert names == ("0", "128", "255") and others.tolist() == [[[0, 1, 2]]]
    with pytest.raises(ValueError, match="at most 255 classes; received 300"):
        encode_masks(np.arange(300).reshape(1, 3, 100))
