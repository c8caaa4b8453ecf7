"""Laws about input that does not fit: one clear ValueError, whatever the operator."""

import keras
import numpy as np
import pytest

from keras_fusion import layers
from tests.layers.cases import (
    CASES,
    QUERY_WIDTH,
    VARIANTS,
    WIDTH,
    draw,
    each_case,
    modalities,
    query_for,
)

BAD_ARGUMENTS = {
    "Fusion": {"units": [0, -1, 2.5, True, "8", [8]]},
    "AdaptiveWeighting": {"gate": ["tanh", True], "intermediate_dim": [0]},
    "ModalityAttention": {
        "num_heads": [0, None],
        "key_dim": [0, 1.5],
        "readout": ["max ", "Mean", 0],
        "transform": [None, "own"],
        "dropout": [-0.1, 1.5],
    },
    "ModalityTransformer": {
        "num_heads": [0],
        "intermediate_dim": [-4],
        "readout": ["token"],
        "dropout": [2],
    },
    "ScalarWeighting": {"per": [None, "pixel"], "constraint": ["softmax"]},
}


def refuses(match):
    return pytest.raises(ValueError, match=match)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_bad_arguments(name):
    bad = BAD_ARGUMENTS["Fusion"] | BAD_ARGUMENTS.get(name, {})
    for argument, values in bad.items():
        for value in values:
            with pytest.raises(ValueError) as error:
                layers.get(name)(**{argument: value})
            if argument != "dropout":  # Keras' own check
                message = str(error.value)
                assert all(s in message for s in (name, argument, repr(value)))


def test_unknown_operators():
    with refuses("No operator 'ModalityAtention'. Did you mean 'ModalityAttention'"):
        layers.get("ModalityAtention")
    with refuses("There are: AdaptiveWeighting, Averaging"):
        layers.get("ModalityDropout")  # a layer, but it does not fuse


@each_case
def test_different_widths_without_units(case):
    inputs = [draw(3, 2, width) for width in (5, WIDTH)]
    op = case.new(units=None)
    if case.name == "Concatenation":  # for which any widths fit
        assert tuple(op(inputs).shape) == (3, 2, 5 + WIDTH)
        return
    with refuses(r"different widths \[5, 4\].*units"):
        op(inputs, **query_for(op, inputs))


@pytest.mark.parametrize("built", [False, True], ids=["new", "built"])
@each_case
def test_one_tensor_instead_of_a_list(case, built):
    inputs = modalities()
    op = case.operator(inputs) if built else case.new()
    with refuses("list of tensors.*unstack"):
        op(np.stack(inputs, axis=1), **query_for(op, inputs))


@each_case
def test_no_modality_and_another_number_of_them(case):
    inputs = modalities()
    with refuses("at least one modality"):
        case.new().check([])
    with refuses("built for 3 modalities; received 2"):
        case.operator(inputs)(inputs[:2], **query_for(case.new(), inputs))


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 2, WIDTH), (3, 2, WIDTH)],  # batch
        [(3, 1, WIDTH), (3, 2, WIDTH)],  # tokens
        [(3, 2, WIDTH), (3, WIDTH)],  # rank
    ],
    ids=["batch", "tokens", "rank"],
)
@each_case
def test_what_would_broadcast(case, shapes):
    built = case.operator(modalities(2))
    for op in (case.new(), built):
        inputs = [draw(*shape) for shape in shapes]
        with refuses("all axes but the last must agree"):
            op(inputs, **query_for(op, [draw(3, 2, WIDTH)]))


@each_case
def test_unknown_width(case):
    with refuses("known width"):
        case.new().check([(None, 2, None)] * 2)


@each_case
def test_wrong_masks(case):
    inputs = modalities()
    op = case.operator(inputs)
    query = query_for(op, inputs)
    for shape in [(3, 2), (1, 3), (3, 3, 1), (3,)]:
        with refuses("modality_mask of shape .3, 3.; received"):
            op(inputs, modality_mask=np.ones(shape, bool), **query)
    for shape in [(3, 3), (1, 2), (3, 2, WIDTH)]:
        with refuses("mask of shape"):
            op(inputs, mask=[None, np.ones(shape, bool), None], **query)
    with refuses("one mask per modality"):
        op(inputs, mask=[np.ones((3, 2), bool)] * 2, **query)


@each_case
def test_query(case):
    inputs = modalities()
    op = case.operator(inputs)
    if op.uses_query:
        with refuses("needs a `query`"):
            op(inputs)
        with refuses("query"):
            op(inputs, query=draw(1, 2, QUERY_WIDTH))
    else:
        with refuses("takes no `query`"):
            op(inputs, query=draw(3, 2, QUERY_WIDTH))


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.config.get("per") == "element"], ids=str
)
def test_weights_per_element_need_known_sizes(case):
    with refuses("known sizes"):
        case.new()([keras.Input((None, WIDTH)), keras.Input((None, WIDTH))])


@pytest.mark.parametrize("name", ["ModalityAttention", "ModalityTransformer"])
def test_heads_that_do_not_divide_the_width(name):
    with refuses("width 4 among num_heads=3"):
        layers.get(name)(num_heads=3)(modalities())
