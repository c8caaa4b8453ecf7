"""What is learned from training rows, and what any row becomes by it."""

import keras
import numpy as np
import pytest

from keras_fusion import layers
from keras_fusion.datasets import Preprocessor
from keras_fusion.datasets.columns import text
from keras_fusion.zoo import FusionClassifier

ROWS = 40
WORDS = ["the red hat", "a blue hat", "no hat at all", "hats", ""]
TABLE = {
    "": list(range(ROWS)),
    "Age (years)": [20 + i % 30 if i % 9 else None for i in range(ROWS)],
    "sex": ["f" if i % 3 else "m" for i in range(ROWS)],
    "smokes": ["yes" if i % 4 else "no" for i in range(ROWS)],
    "admitted": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(ROWS)],
    "findings": [f"{WORDS[i % 5]} number{i}"[: 99 * (i % 7)] for i in range(ROWS)],
    "patient_id": [f"p{7 * i % 97}" for i in range(ROWS)],
    "site": ["north"] * ROWS,
    "remarks": [None] * ROWS,
}


@pytest.fixture(scope="module")
def learned():
    return Preprocessor.fit(TABLE)


def test_every_column_is_understood_or_left_out_with_a_reason(learned):
    assert {name: (m, kind) for name, m, kind, _ in learned.describe()} == {
        "Age (years)": ("table", "number"),
        "sex": ("table", "category"),
        "smokes": ("table", "boolean"),
        "admitted": ("table", "date"),
        "findings": ("findings", "text"),
        "": ("", "left out"),
        "patient_id": ("", "left out"),
        "site": ("", "left out"),
        "remarks": ("", "left out"),
    }
    said = {name: words for name, _, _, words in learned.describe()}
    assert said["Age (years)"] == "5 of 40 missing"
    assert (
        said["sex"] == "2 values" and said["patient_id"] == "every value is different"
    )
    assert said["site"] == "every value is 'north'" and said["remarks"] == "it is empty"


def test_a_file_holds_all_of_it(learned, tmp_path):
    learned.save(tmp_path / "columns.json")
    assert Preprocessor.load(tmp_path / "columns.json") == learned


def test_order_and_further_columns_do_not_matter(learned):
    expected, mask = learned.encode(TABLE)
    other = dict(reversed(TABLE.items())) | {"label": ["x"] * ROWS}
    inputs, same = learned.encode(other)
    assert (mask == same).all()
    assert all((inputs[name] == expected[name]).all() for name in expected)


def test_rows_are_encoded_each_for_itself(learned):
    expected, mask = learned.encode(TABLE)
    few = {name: values[3:5] for name, values in TABLE.items()}
    inputs, there = learned.encode(few)
    assert (there == mask[3:5]).all()
    assert all((x == expected[name][3:5]).all() for name, x in inputs.items())


def test_an_empty_cell_is_an_absence_of_the_modality_where_all_are_empty(learned):
    inputs, mask = learned.encode({"findings": ["a hat", "", None], "sex": [None] * 3})
    assert mask.tolist() == [[False, True], [False, False], [False, False]]
    assert all(np.isfinite(x).all() for x in inputs.values())


def test_what_cannot_be_read_is_said(learned):
    notes = []
    learned.encode({"Age (years)": ["12", "old", None], "sex": ["f"] * 3}, notes=notes)
    assert notes[0] == (
        "1 value of 'Age (years)' cannot be read as number, and counts as missing: "
        "'old' in row 1 (rows are counted from 0)"
    )
    assert "there is no column 'findings': it counts as empty" in notes


@pytest.mark.parametrize(
    "spec, kinds",
    [
        (
            {"clinic": {"columns": ["sex", "smokes"]}, "report": {"text": "findings"}},
            {"clinic": ["category", "boolean"], "report": ["text"]},
        ),
        (
            {"a": {"columns": {"Age (years)": "category"}}},
            {"a": ["category"]},
        ),
        (
            {"a": {"number": "Age (years)", "scale": "quantiles"}},
            {"a": ["number"]},
        ),
    ],
)
def test_a_recipe_says_otherwise(spec, kinds):
    found = Preprocessor.fit(TABLE, spec).modalities
    assert {m: [c.kind for c in columns] for m, columns in found.items()} == kinds


@pytest.mark.parametrize(
    "spec, message",
    [
        ({"a": {"columns": ["height"]}}, "no column 'height'"),
        ({"a": {"columns": ["sex", "findings"]}}, "findings .text."),
        ({"a": {"text": "sex", "columns": []}}, "to say `columns` or one column"),
        (
            {"a": {"number": "findings"}},
            "be of kind number: expected at least one",
        ),
        ({"a": {"text": "findings", "size": 3}}, "cannot be of kind text"),
        ({"a": {"columns": {"sex": "color"}}}, "color"),
    ],
)
def test_what_cannot_be_is_one_sentence(spec, message):
    with pytest.raises(ValueError, match=message):
        Preprocessor.fit(TABLE, spec)


def test_numbers_named_by_prefix_are_grouped_so():
    table = {f"{m}_{i}": [0.1, 0.5, 0.9, i] for m in ("rgb", "depth") for i in range(2)}
    assert list(Preprocessor.fit(table).modalities) == ["rgb", "depth"]
    assert list(Preprocessor.fit(table, group_by="kind").modalities) == ["table"]


def test_a_column_of_none_of_them_is_an_error(learned):
    with pytest.raises(ValueError, match="expected some of the columns"):
        learned.encode({"height": [1]})


@pytest.mark.parametrize("fusion", ["Concatenation", "CrossAttention"])
def test_default_encoders_make_a_model_that_takes_the_arrays(learned, fusion):
    inputs, mask = learned.encode(TABLE)
    takes = layers.get(fusion).takes
    model = FusionClassifier(
        {name: x.shape[1:] for name, x in inputs.items()},
        classes=2,
        fusion=fusion,
        units=8,
        encoders=learned.encoders(takes, units=8),
        modality_mask=True,
    )
    outputs = model.predict(inputs | {"modality_mask": mask}, verbose=0)
    assert keras.ops.shape(outputs) == (ROWS, 2) and np.isfinite(outputs).all()


@pytest.mark.slow
@pytest.mark.only_on("tensorflow", reason="it compares TensorFlow's ops with numpy")
def test_the_graph_gives_the_arrays_and_the_mask(learned):
    import tensorflow as tf

    from keras_fusion.datasets.columns import raw

    expected, mask = learned.encode(TABLE)
    rows = raw.values(learned, TABLE)
    tensors = {
        name: tf.constant(rows[name].tolist(), dtype)
        for name, (_, dtype, _) in raw.inputs(learned).items()
    }
    outputs = learned.graph()(tensors)
    assert (outputs.pop("modality_mask").numpy() == mask).all()
    for name, x in outputs.items():
        np.testing.assert_allclose(x, expected[name], 1e-6, 1e-6)


def test_a_word_that_training_saw_once_is_known():
    """As one token they would be the most frequent word of a small table."""
    state = text.fit(["red hat", "blue hat"], level="words")
    tokens, _ = text.encode(["blue moon"], state)
    assert tokens[0, 0] > text.UNSEEN == tokens[0, 1]
