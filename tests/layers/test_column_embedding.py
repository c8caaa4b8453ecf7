"""Columns of a table as tokens: its codes by hand, and its promises."""

import keras
import numpy as np
import pytest

from keras_fusion.layers import ColumnEmbedding
from tests.conftest import assert_close, to_numpy

COLUMNS = [{"codes": 3}, {"edges": [-1.0, 0.0, 2.0]}, {"width": 2}, {"edges": [5.0]}]
ROWS = np.array(
    [
        [2, 1.0, 0, 0.5, -0.5, 5.0, 0],
        [1, -3.0, 0, 0.0, 0.0, 7.0, 0],
        [0, 9.0, 1, 1.0, 2.0, 0.0, 1],
    ],
    "float32",
)


def embedding(columns=COLUMNS, **kwargs):
    layer = ColumnEmbedding(columns, units=4, **kwargs)
    layer(ROWS[:, : 7 if columns is COLUMNS else None])
    return layer


def test_tokens_are_what_the_formula_says():
    layer = embedding()
    rng = np.random.default_rng(0)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    category, numbers, bias = layer.categories, layer.numbers, to_numpy(layer.bias)
    codes = np.array([[1, 0.5, 0], [-2, 0, 0], [0, 0, 1]])  # bins, and what is missing
    expected = [
        to_numpy(category)[[2, 1, 0]],
        codes @ to_numpy(numbers)[0],
        ROWS[:, 3:5] @ to_numpy(layer.kernels[2]),
        np.array([[0, 0, 0], [2, 0, 0], [0, 0, 1]]) @ to_numpy(numbers)[1],
    ]
    assert_close(layer(ROWS), np.stack(expected, axis=1) + bias)


def test_an_unseen_category_starts_at_zero_and_a_known_one_does_not():
    table = to_numpy(embedding().categories)
    assert (table[1] == 0).all() and (table[[0, 2]] != 0).all()


def test_codes_are_exact_in_half_precision():
    columns = [{"codes": 300}]
    layer = ColumnEmbedding(columns, units=4, dtype="mixed_bfloat16")
    tokens = layer(np.array([[256.0], [257.0]], "float32"))
    assert keras.backend.standardize_dtype(tokens.dtype) == "bfloat16"
    tokens = to_numpy(tokens)
    assert (tokens[0] != tokens[1]).any()


def test_the_layer_comes_back_from_a_file(tmp_path):
    inputs = keras.Input((7,))
    model = keras.Model(inputs, ColumnEmbedding(COLUMNS, units=4)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_close(loaded(ROWS), model(ROWS))


@pytest.mark.parametrize("column", [{}, {"codes": 1}, {"edges": []}, {"width": 0}, "a"])
def test_other_columns_are_refused(column):
    with pytest.raises(ValueError, match="expects a"):
        ColumnEmbedding([column])


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match=r"expects the features of its columns \(B, 7"):
        ColumnEmbedding(COLUMNS)(ROWS[:, :6])
