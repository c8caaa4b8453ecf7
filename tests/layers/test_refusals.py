"""Laws about input that does not fit: one clear ValueError, whatever the operator."""

import keras
import numpy as np
import pytest
from keras import tree

from keras_fusion import layers
from tests.conftest import assert_close
from tests.layers.cases import (
    QUERY_WIDTH,
    VARIANTS,
    WIDTH,
    draw,
    each_case,
    inputs_for,
    modalities,
    query_for,
    some_absent,
)

ANY_WIDTHS = {"Concatenation": 5 + WIDTH, "FeatureModulation": 5}  # and what comes out
EPSILONS = [1.0, -0.1, None]
TOKENS = {
    "num_heads": [0],
    "intermediate_dim": [-4],
    "readout": ["sum"],
    "dropout": [2],
    "stochastic_depth": [1, -0.5, "no"],
}
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
    "BottleneckAttention": TOKENS | {"num_latents": [0]},
    "CrossAttention": TOKENS | {"queries": ["both", None]},
    "CrossDiffusionAttention": {
        "num_heads": [0],
        "readout": ["fused"],
        "epsilon": EPSILONS,
        "steps": [0, 1.5],
        "initial": ["zeros"],
        "form": ["official"],
        "dropout": [2],
    },
    "FeatureModulation": {
        "form": ["gate", None],
        "max_shift": [-0.5, True, "1", float("inf")],
    },
    "GatedCrossAttention": TOKENS | {"queries": ["both", None]},
    "JointAttention": TOKENS,
    "LatentAttention": {
        "num_latents": [0, 2.5],
        "num_heads": [0],
        "readout": ["sum"],
        "dropout": [2],
    },
    "LowRankFusion": {"rank": [0, 1.5, None], "intermediate_dim": [0]},
    "MixtureOfExpertsFusion": {
        "num_experts": [0],
        "top_k": [0, 5],
        "intermediate_dim": [0],
        "balance": [-1, "no"],
    },
    "ProductOfExperts": {"readout": ["max", None]},
    "MutualFormerBlock": TOKENS
    | {"epsilon": EPSILONS, "steps": [0, 1.5], "initial": ["zeros"]},
    "ReleasedMutualFormerBlock": TOKENS
    | {"epsilon": EPSILONS, "fused_stream": ["conv"]},
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
    if case.name in ANY_WIDTHS:
        assert tuple(op(inputs).shape) == (3, 2, ANY_WIDTHS[case.name])
        return
    with refuses(r"different widths \[5, 4\].*units"):
        op(inputs, **query_for(op, inputs))


@pytest.mark.parametrize("built", [False, True], ids=["new", "built"])
@each_case
def test_one_tensor_instead_of_a_list(case, built):
    inputs = case.inputs()
    op = case.operator(inputs) if built else case.new()
    with refuses("list of tensors.*unstack"):
        op(draw(3, 3, 2, WIDTH), **query_for(op, inputs))


@each_case
def test_no_modality_and_another_number_of_them(case):
    inputs = case.inputs()
    with refuses("at least one modality"):
        case.new().check([])
    with refuses(f"modalities; received {len(inputs) - 1}"):
        case.operator(inputs)(inputs[:-1], **query_for(case.new(), inputs))


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
    same_rank_and_batch = len({(len(s), s[0]) for s in shapes}) == 1
    if built.takes == "tokens" and not built.aligned_tokens and same_rank_and_batch:
        return  # it takes any number of tokens
    for op in (case.new(), built):
        inputs = [draw(*shape) for shape in shapes]
        with refuses(
            "all axes but the last must agree|sets of tokens .* one batch size"
            "|modality 0 has 1, modality 1 has 2"
        ):
            op(inputs, **query_for(op, [draw(3, 2, WIDTH)]))


@each_case
def test_unknown_width(case):
    with refuses("known width"):
        case.new().check([(None, 2, None)] * 2)


@each_case
def test_wrong_masks(case):
    inputs = case.inputs()
    count, tokens = len(inputs), inputs[1].shape[1]
    op = case.operator(inputs)
    query = query_for(op, inputs)
    for shape in [(3, count - 1), (1, count), (3, count, 1), (3,)]:
        with refuses(f"modality_mask of shape .3, {count}.; received"):
            op(inputs, modality_mask=np.ones(shape, bool), **query)
    for shape in [(3, tokens + 1), (1, tokens), (3, tokens, WIDTH)]:
        masks = [None, np.ones(shape, bool), None]
        with refuses("mask of shape"):
            op(inputs, mask=masks[:count], **query)
    with refuses("one mask per modality"):
        op(inputs, mask=[np.ones((3, 2), bool)] * (count + 1), **query)
    with refuses("a list of masks, one per modality; received one tensor of shape .3,"):
        op(inputs, mask=np.ones((3, tokens), bool), **query)


@each_case
def test_a_modality_mask_may_be_a_list(case):
    inputs = case.inputs()
    op = case.operator(inputs)
    query, there = query_for(op, inputs), some_absent(len(inputs))
    expected = op(inputs, modality_mask=there, **query)
    found = op(inputs, modality_mask=there.tolist(), **query)
    for a, b in zip(tree.flatten(found), tree.flatten(expected), strict=True):
        assert_close(a, b)


@each_case
def test_query(case):
    inputs = case.inputs()
    op = case.operator(inputs)
    if op.uses_query:
        with refuses("needs a `query`"):
            op(inputs)
        with refuses("query"):
            op(inputs, query=draw(1, 2, QUERY_WIDTH))
    else:
        with refuses("takes no `query`"):
            op(inputs, query=draw(3, 2, QUERY_WIDTH))


def test_weights_per_element_need_known_sizes():
    with refuses("known sizes"):
        layers.ScalarWeighting(per="element")(
            [keras.Input((None, WIDTH)), keras.Input((None, WIDTH))]
        )


@pytest.mark.parametrize(
    "name", [n for n in VARIANTS if "num_heads" in layers.get(n)().get_config()]
)
def test_heads_that_do_not_divide_the_width(name):
    op = layers.get(name)(num_heads=3)
    with refuses("width 4 among num_heads=3"):
        op(inputs_for(op))


def test_too_few_modalities():
    with refuses("needs at least 2 modalities; received 1"):
        layers.CrossAttention()(modalities(1))


@pytest.mark.parametrize("queries", ["all", "first"])
def test_a_single_token_is_not_asked(queries):
    op = layers.CrossAttention(queries=queries)
    with refuses("single token.*ModalityAttention or AdaptiveWeighting"):
        op([draw(3, 2, WIDTH), draw(3, 1, WIDTH)])
    op.check([(3, 1, WIDTH), (3, 1, WIDTH), (3, 1, WIDTH)])  # of others there are two


def test_the_first_alone_may_ask_with_a_single_token():
    shapes = [(3, 1, WIDTH), (3, 2, WIDTH)]
    layers.CrossAttention(queries="first").check(shapes)
    with refuses("modality 1 ask a single token"):
        layers.CrossAttention().check(shapes)
