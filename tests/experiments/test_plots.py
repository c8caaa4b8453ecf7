"""What pictures of results promise to those who look at them."""

import itertools

import numpy as np
import pytest

from keras_fusion.experiments.comparison import METHODS
from keras_fusion.experiments.reports.colors import COLORS, PALETTE

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

# Machado, Oliveira and Fernandes, 2009, of linear RGB, without cones of one kind.
VISIONS = {
    "all cones": np.eye(3),
    "no long": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no middle": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no short": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)


def linear(color):
    """Linear RGB of `#rrggbb`."""
    x = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB, in which one step of 2 is just seen."""
    x, y, z = np.cbrt(np.maximum(XYZ @ rgb / XYZ.sum(axis=1), 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(colors, matrix):
    seen = [lab(np.clip(matrix @ linear(color), 0, 1)) for color in colors]
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("matrix", VISIONS.values(), ids=VISIONS)
def test_colors_are_told_apart_by_everyone(matrix):
    assert nearest(PALETTE, np.array(matrix)) > 15


def test_a_palette_that_few_tell_apart_is_found():
    blue_and_purple = "#1b6ca8", "#7b5aa6"
    assert nearest(blue_and_purple, np.array(VISIONS["all cones"])) > 15
    assert nearest(blue_and_purple, np.array(VISIONS["no long"])) < 15


def test_every_method_has_its_own_color():
    assert set(COLORS) == set(METHODS) and len({*COLORS.values()}) == len(METHODS)
