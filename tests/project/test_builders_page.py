"""The page of all builders, and the pictures of their layers."""

import itertools
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from keras_fusion import zoo

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs" / "site"))

import builders  # noqa: E402
import house  # noqa: E402
import layout  # noqa: E402
import structure  # noqa: E402

pytestmark = pytest.mark.only_on("jax", reason="the site is made on it")

SVG = "{http://www.w3.org/2000/svg}"
TOUCH = 1.0  # whole numbers stand in a picture


def rectangles(svg):
    """`(left, top, right, bottom)` of the boxes of a picture."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}rect")
    sides = [[float(r.get(k)) for k in ("x", "y", "width", "height")] for r in found]
    return [(x, y, x + width, y + height) for x, y, width, height in sides]


def overlapping(svg):
    return [
        (a, b)
        for a, b in itertools.combinations(rectangles(svg), 2)
        if min(a[2], b[2]) - max(a[0], b[0]) > TOUCH
        and min(a[3], b[3]) - max(a[1], b[1]) > TOUCH
    ]


@pytest.fixture(scope="module")
def model():
    return builders.example(zoo.FusionClassifier)


def test_the_page_has_every_builder():
    assert builders.builders().keys() >= zoo.builders().keys() | {"FusionModel"}
    assert "ensemble" not in builders.builders()


@pytest.mark.slow
@pytest.mark.parametrize("name", builders.builders())
def test_a_picture_has_all_layers_and_is_readable(name):
    model = builders.example(builders.builders()[name])
    names = {name for name, _ in structure.layers(model)[0]}
    assert names == {layer.name for layer in model.layers}
    svg = structure.picture(model)
    assert 3 < len(rectangles(svg)) <= structure.MOST
    assert overlapping(svg) == []


def test_a_section_says_what_the_example_is(model):
    text = builders.section(zoo.FusionClassifier, model)
    assert "[Reference](reference/zoo.md#keras_fusion.zoo.fusion_classifier." in text
    assert "It takes `shape` `(B, 64)` and `texture` `(B, 32)`" in text
    assert f"It has {model.count_params():,} weights" in text
    assert 'model = FusionClassifier({"shape": (64,)' in text
    assert "Source" not in text
    # of each weight of a matrix a multiplication and an addition, and little besides
    cost = int(re.search(r"costs ([\d,]+) operations", text)[1].replace(",", ""))
    assert 2 < cost / model.count_params() < 3


def test_lines_are_those_of_the_model(model):
    text, graph, operators = structure.layers(model)
    named = {box[0]: [above[0] for above in graph[box]] for box in graph}
    assert named["fusion"] == ["shape_block_0_add", "texture_block_0_add"]
    assert named["shape_block_0_add"] == ["shape_projection", "shape_block_0_output"]
    assert named["shape_input"] == []
    assert text["fusion", 0] == ["fusion", "ScalarWeighting", "(B, 64)"]
    assert operators == {("fusion", 0)}


def test_layers_that_feed_one_another_alone_share_a_box():
    text = {"a": ["a", "(B, 2)"], "b": ["b", "(B, 3)"], "c": ["c", "(B, 3)"]}
    text |= {"sum": ["sum", "Summation", "(B, 3)"], "end": ["end", "(B, 1)"]}
    graph = {"a": [], "b": ["a"], "c": ["b"], "sum": ["a", "c"], "end": ["sum"]}
    joined, above = structure.chained(text, graph, {"sum"})
    assert joined["b"] == ["b", "c", "(B, 3)"]
    assert above == {"a": [], "b": ["a"], "sum": ["a", "b"], "end": ["sum"]}
    assert joined.keys() == above.keys()


def test_a_line_passes_a_row_by_a_point():
    graph = {"a": [], "b": ["a"], "c": ["b", "a"], "d": ["c", "a"]}
    rows, lines = layout.through([["a"], ["b"], ["c"], ["d"]], graph)
    first, second = ("a", 1), ("a", 2)
    assert rows == [["a"], ["b", first], ["c", second], ["d"]]
    # two lines from one box are one as far as they go together
    assert set(lines) == {
        ("a", "b"),
        ("a", first),
        ("b", "c"),
        (first, "c"),
        (first, second),
        ("c", "d"),
        (second, "d"),
    }


def test_boxes_stand_as_near_to_their_wishes_as_there_is_room():
    assert layout.settled([(0, 1), (5, 1)], [1, 1]) == [0, 5]
    assert layout.settled([(2, 1), (2, 1)], [1, 1]) == [1.5, 2.5]
    assert layout.settled([(2, 3), (2, 1)], [1, 1]) == [1.75, 2.75]
    assert layout.settled([(2, 1), (2, 1), (2, 1)], [1, 0.5, 1]) == [1.25, 2, 2.75]


def test_the_house_has_a_box_for_every_part():
    svg = house.picture(ROOT / "keras_fusion")
    assert len(rectangles(svg)) == len(house.imports(ROOT / "keras_fusion"))
    assert overlapping(svg) == []
