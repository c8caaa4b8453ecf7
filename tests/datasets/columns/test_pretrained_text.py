"""Texts as the tokenizers of KerasHub's presets number them, in numpy and in graphs."""

import json

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from keras_fusion.datasets import Preprocessor
from keras_fusion.datasets.columns import pretrained_text, text
from tests import hub_presets
from tests.datasets.columns.examples import VALUES, column

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # KerasHub closes no file
]

NAMES = ("bert", "roberta", "albert")
TEXTS = ["The red hat!", "größe: red hats", "the 漢字 hat, the sun", "", None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return hub_presets.save(tmp_path_factory.mktemp("presets"))


def fitted(folder, name, **options):
    return text.fit(column(TEXTS), tokenizer=f"keras_hub:{folder / name}", **options)


@pytest.mark.only_on("tensorflow", reason="it compares TensorFlow's ops with Python")
@pytest.mark.parametrize("name", NAMES)
def test_graph_and_encode_agree(folder, name):
    import tensorflow as tf

    state = fitted(folder, name, length=7)
    spec = tf.TensorSpec([None], "string")
    graph = tf.function(text.graph(state), input_signature=[spec])

    @settings(max_examples=60, deadline=None, phases=[Phase.generate])
    @given(st.lists(VALUES["text"], min_size=1, max_size=20))
    def agree(values):
        expected, present = text.encode(column(values), state)
        encoded, there = graph(tf.constant(values, "string"))
        assert there.numpy().tolist() == present.tolist()
        assert encoded.numpy().tolist() == expected.tolist()
        assert encoded.dtype == "int32" and expected.dtype == np.int32

    agree()


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_those_that_the_network_was_trained_on(folder, name):
    state = json.loads(json.dumps(fitted(folder, name, length=6)))
    texts = TEXTS[:3]
    found, present = text.encode(column(texts), state)
    preset = str(folder / name)
    models = hub_presets.hub().models
    own = models.TextClassifierPreprocessor.from_preset(preset, sequence_length=6)
    assert found.tolist() == np.asarray(own(texts)["token_ids"]).tolist()
    assert present.all()
    gap, absent = text.encode(column(["", None, " \x00 "]), state)
    assert (gap == text.padding(state)).all() and not absent.any()


def test_a_column_needs_its_preset_once(folder, tmp_path):
    spec = {"note": {"text": "note", "tokenizer": f"keras_hub:{folder / 'roberta'}"}}
    table = {"note": TEXTS[:3]}
    learned = Preprocessor.fit(table, spec)
    assert "269 tokens of keras_hub:" in learned.describe()[0][3]
    learned.save(tmp_path / "columns.json")
    pretrained_text._tokenizer.cache_clear()
    again = Preprocessor.load(tmp_path / "columns.json")
    found, expected = (x.encode(table)[0]["note"] for x in (again, learned))
    np.testing.assert_array_equal(found, expected)
    with pytest.raises(ValueError, match="'note' has the tokens .* padding is no 0"):
        again.encoders()


@pytest.mark.parametrize(
    "options, words",
    [
        ({"tokenizer": "keras_hub:no_such"}, "no tokenizer 'no_such'"),
        ({"tokenizer": "bert"}, 'a tokenizer "keras_hub:PRESET"; received'),
        ({"tokenizer": "keras_hub:x", "level": "words"}, "a tokenizer alone"),
    ],
)
def test_wrong_options_are_said(options, words):
    hub_presets.hub()
    with pytest.raises(ValueError, match=words):
        text.fit(column(TEXTS), **options)


def test_a_length_holds_more_than_what_begins_and_ends_a_row(folder):
    with pytest.raises(ValueError, match="a length above 2, .* received 2"):
        fitted(folder, "bert", length=2)


def test_a_file_names_no_class_that_is_no_tokenizer(folder):
    state = fitted(folder, "bert")
    state["tokenizer"]["class_name"] = "compute_word_piece_vocabulary"
    with pytest.raises(ValueError, match="has no tokenizer 'compute_word"):
        text.encode(column(TEXTS), state)
