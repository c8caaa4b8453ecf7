"""What builders say of themselves is true."""

import inspect

import numpy as np
import pytest

from keras_fusion import layers, zoo
from tests.conftest import to_numpy
from tests.zoo.samples import draw, randomize

SHAPES = {
    "MutualFormerSegmenter": {"a": (16, 16, 1), "b": (16, 16, 2)},
    "TwoStreamVideoClassifier": {"a": (2, 8, 8, 1), "b": (2, 8, 8, 2)},
}
each_builder = pytest.mark.parametrize("name", zoo.builders())


def built(name, **arguments):
    shapes = SHAPES.get(name, {"a": (4, 3), "b": (4, 3)})
    if name == "GraphNodeClassifier":
        shapes = {"a": 3, "b": 3}
    return zoo.builders()[name](shapes, 3, **arguments), shapes


@each_builder
def test_the_default_fusion_is_what_is_built(name):
    record = zoo.builders()[name].record
    assert record.name == name
    if record.fusion is None:
        assert "fusion" not in inspect.signature(zoo.builders()[name]).parameters
    else:
        model, _ = built(name)
        assert type(model.get_layer("fusion")) is layers.get(record.fusion)


@each_builder
def test_arguments_by_modality_are_the_builders_own(name):
    record, build = zoo.builders()[name].record, zoo.builders()[name]
    parameters = inspect.signature(build).parameters
    assert "kwargs" in parameters or set(record.by_modality) <= set(parameters)
    table = {"a": 1, "b": 2}
    given = {key: table for key in (*record.by_modality, "units")} | {"depth": 3}
    kept = record.of_modalities(given, ["b", "c"])
    assert kept.pop("units") == table and kept.pop("depth") == 3
    assert all(value == {"b": 2} for value in kept.values())
    assert given["units"] == table and record.of_modalities({}, ["b"]) == {}


@each_builder
def test_the_form_of_one_modality_has_one(name):
    record = zoo.builders()[name].record
    arguments = {"units": 4, "modality_mask": True}
    alone, arguments = record.of_one(arguments, "a")
    if alone != name:
        assert "modality_mask" not in arguments
    shape = SHAPES.get(name, {"a": (4, 3)})["a"]
    if name == "GraphNodeClassifier":
        shape = 3
    model = zoo.builders()[alone]({"a": shape}, 3, **arguments)
    modalities = set(model.input) - {"modality_mask", "edge_index"}
    assert modalities == {"a"}


@pytest.mark.only_on("torch", reason="no backend changes it")
@each_builder
def test_rows_are_independent_where_it_says_so(name):
    arguments = {"modality": "a"} if name == "UnimodalClassifier" else {}
    if name != "EvidentialClassifier":  # whose heads give evidence
        arguments["classifier_activation"] = None
    model, shapes = built(name, units=16, **arguments)
    randomize(model)
    rows = draw({m: np.atleast_1d(shapes[m]) for m in model.input if m in shapes})
    if name == "GraphNodeClassifier":
        rows["edge_index"] = np.array([[0, 1], [1, 0]], "int32")
    before = to_numpy(model(rows))
    other = {m: x.copy() for m, x in rows.items()}
    other["a"][1] += 1
    moved = np.abs(to_numpy(model(other)) - before).reshape(3, -1).max(axis=1) > 1e-6
    assert moved[1]
    assert moved[0] != zoo.builders()[name].record.independent_rows
