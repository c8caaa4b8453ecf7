"""The laws of the layers of one tensor can fail: each fault turns one of them red."""

import functools
import importlib

import pytest
from keras import ops

from keras_fusion.layers import base
from keras_fusion.ops.diffusion import affinity
from keras_fusion.ops.presence import softmax
from tests.layers.attention import (
    test_mixing,
    test_non_local_block,
    test_offset_attention,
)
from tests.layers.attention.mixing_cases import Mixing
from tests.layers.faults import Faults, check_red
from tests.layers.graph import test_graph_layers
from tests.ops.pairwise import test_pairwise

# By name: `keras_fusion.ops` has functions that are called as their modules are.
pairwise_all, pairwise_edges, pairwise_window = (
    importlib.import_module(f"keras_fusion.ops.pairwise.{neighborhood}")
    for neighborhood in ("all", "edges", "window")
)

FAULTS = Faults()
breaks = FAULTS.breaks


@breaks(
    test_offset_attention.test_with_constant_affinity_it_is_a_convolution,
    *((2, 7, 3), 4, 1),
)
def an_even_window_reaches_one_further_to_the_front():
    def padded(x, window):
        reach = [(size // 2, (size - 1) // 2) for size in window]
        return ops.pad(x, ((0, 0), *reach, (0, 0), (0, 0)))

    return pairwise_window, "_padded", padded


@breaks(test_pairwise.test_window, (6,), (3,), "softmax")
def what_lies_beyond_the_edge_gets_weight():
    return pairwise_window, "softmax", lambda logits, there: softmax(logits)


@breaks(test_graph_layers.test_graph_convolution_is_the_dense_formula, None)
def divided_by_the_degree_of_the_target_alone():
    power = pairwise_edges._power
    return pairwise_edges, "_power", lambda x, exponent: power(x, -1.0)


@breaks(test_pairwise.test_large_logits_do_not_overflow)
def the_largest_logit_is_not_subtracted():
    def plain(logits, own, target, count, loops):
        return ops.exp(logits), ops.exp(own)

    return pairwise_edges, "_exponentials", plain


@breaks(test_graph_layers.test_only_targets_hear_of_their_sources)
def everybody_hears_everybody():
    gather = pairwise_edges.gather

    def everything(x, rows):
        return gather(x, rows) * 0 + ops.mean(x, axis=0, keepdims=True)

    return pairwise_edges, "gather", everything


@breaks(
    test_graph_layers.test_graph_attention_is_the_formula_node_by_node,
    *("gat", "concatenate"),
)
def another_slope():
    flat = functools.partial(ops.leaky_relu, negative_slope=0.01)
    return affinity, "leaky_relu", flat


@breaks(test_non_local_block.test_numbers, "embedded_gaussian", (2, 5, 4))
def softmax_over_the_queries():
    return pairwise_all, "softmax", lambda logits, there: softmax(logits, axis=-2)


@breaks(
    test_mixing.test_padding_that_is_masked_is_no_padding,
    Mixing("NonLocalBlock", 1, {"units": 3}),
)
def what_is_masked_gets_weight():
    return pairwise_all, "softmax", lambda logits, there: softmax(logits)


@breaks(
    test_mixing.test_initializer_and_regularizer_reach_every_kernel,
    Mixing("SqueezeExcitation", 2, {"use_bias": False}),
)
def the_configuration_is_dropped():
    return base, "own_arguments", lambda layer: {"ratio": layer.ratio}


@pytest.mark.only_on("torch", reason="the laws are the same")
@pytest.mark.parametrize("fault, law, args", FAULTS)
def test_a_fault_turns_its_law_red(fault, law, args, monkeypatch):
    check_red(fault, law, args, monkeypatch)
