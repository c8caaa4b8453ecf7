"""Values that generated recipes and files held, each of which was a traceback once."""

import json
import re

import numpy as np
import pytest

from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError
from keras_fusion.datasets.arrays import as_numbers
from keras_fusion.datasets.columns import modality
from keras_fusion.experiments import prediction, trust, variants
from keras_fusion.tuning import space
from tests.experiments import runs

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def understood(said):
    return lambda: modality.as_said({"m": said}, lambda name: "number")


def layer(config):
    found = {"class_name": "Dense", "config": config}
    return lambda: trust.check_layers({"encoders": [found]}, "r.toml")


CASES = {
    "columns are a number": (understood({"columns": 3}), "to be a list of names"),
    "a column is a number": (
        understood({"columns": ["a", 1]}),
        "expected the name of a column in [modalities.m]; received 1",
    ),
    "a kind of a list": (understood({"text": ["a"]}), "received ['a']"),
    "a kind is a number": (
        understood({"columns": {"a": 3}}),
        "expected the kind of 'a' by its name; received 3",
    ),
    "a column without a name": (
        lambda: modality.by_kind({"": "text"}, None),
        "expected a name for every column; one has none",
    ),
    "a config is a list": (layer([1]), "config of Dense must be a table; received [1]"),
    "a number that is no row": (
        lambda: as_numbers("a", np.array(1e39), "x.npz"),
        "received 1e+39 in row 0",
    ),
    "an operator is a list": (
        lambda: find("operator", ["Summation"], {"Summation": 1}),
        "No operator ['Summation']",
    ),
    "a range without an end": (
        lambda: space.checked({"learning_rate": [1e-3, float("inf")]}),
        "learning_rate must be [low, high]",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_odd_values_are_one_sentence(case):
    call, sentence = CASES[case]
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_name_that_begins_with_the_mark_of_a_prefix_is_its_own():
    assert list(modality.by_kind({"_a": "number"}, "prefix")) == ["_a"]


def test_a_fault_of_a_builder_is_not_one_of_the_recipe(tmp_path, monkeypatch):
    recipe, data = runs.load(runs.write(tmp_path))

    def broken(*args, **kwargs):
        raise KeyError("depth")

    monkeypatch.setattr(variants, "find", lambda *args: broken)
    with pytest.raises(KeyError, match="depth"):
        variants.build(recipe, data)


@pytest.mark.parametrize(
    "names, sentence",
    [
        ({"a": 1}, "is broken: expected a list of names"),
        ([1, 2, 3], "is broken: expected a list of names"),
        (["a", "b"], "has 2 names for 3 classes"),
    ],
)
def test_names_that_go_with_no_model(names, sentence, tmp_path):
    (tmp_path / prediction.CLASSES).write_text(json.dumps(names))
    outputs = {"probabilities": np.ones((5, 3))}
    with pytest.raises(InputError, match=sentence):
        prediction.class_names(tmp_path / "model.keras", outputs)
