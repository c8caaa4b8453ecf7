"""The laws of masks and of operators on tokens can fail, as in `test_mutations`."""

import keras
import pytest
from keras import ops

from keras_fusion.layers import (
    CrossDiffusionAttention,
    Fusion,
)
from keras_fusion.layers.fusion import (
    adaptive_weighting,
    bottleneck_attention,
    cross_attention,
    cross_diffusion_attention,
    joint_attention,
    token_transformer,
    transformer,
)
from keras_fusion.ops.diffusion.cross_diffusion import cross_diffusion
from keras_fusion.ops.pooling import pool, position_mean
from keras_fusion.ops.presence import Presence
from keras_fusion.ops.tokens import attend, pool_tokens
from tests.layers import test_masks
from tests.layers.cases import Case
from tests.layers.faults import Faults, check_red
from tests.layers.fusion import (
    test_bottleneck_attention,
    test_cross_diffusion_attention,
    test_mutual_former_block,
)
from tests.layers.test_mutations import GRADIENTS, subject

FAULTS = Faults()
breaks = FAULTS.breaks


@breaks(test_masks.test_attached_masks_are_honored, Case("Summation", {}), False)
def attached_masks_are_ignored():
    of = Presence.of

    def without_mask(cls, inputs, modality_mask=None, mask=None):
        return of(inputs, modality_mask)

    return Presence, "of", classmethod(without_mask)


@breaks(test_masks.test_the_mask_handed_on, Case("Summation", {}))
def the_first_mask_is_handed_on():
    return Fusion, "compute_mask", lambda self, inputs, previous_mask: previous_mask[0]


@breaks(
    test_masks.test_the_length_of_the_padding_has_no_influence,
    Case("AdaptiveWeighting", {}),
)
def padding_is_pooled():
    return adaptive_weighting, "position_mean", lambda x, there: position_mean(x)


@breaks(
    test_masks.test_the_length_of_the_padding_has_no_influence,
    Case("CrossAttention", {}),
)
def padding_is_attended():
    def attend_all(queries, keys, values, kept, *others):
        return attend(queries, keys, values, None, *others)

    return cross_attention, "attend", attend_all


@breaks(
    test_masks.test_the_length_of_the_padding_has_no_influence,
    Case("JointAttention", {}),
)
def padding_is_pooled_with_the_tokens():
    def pool_all(streams, present, readout):
        return pool_tokens(streams, Presence(), readout)

    return joint_attention, "pool_tokens", pool_all


@breaks(subject, GRADIENTS, "JointAttention")
def the_mlp_of_a_token_block_is_skipped():
    return transformer.ResidualHalves, "call", transformer.ResidualHalves.add


@breaks(subject, GRADIENTS, "MutualFormerBlock")
def messages_are_lost():
    def nothing(inputs, present, readout):
        return ops.zeros_like(inputs[0])

    return cross_diffusion_attention, "pool", nothing


def pool_regardless(inputs, present, readout):
    return pool(inputs, Presence(), readout)


@breaks(test_cross_diffusion_attention.test_numbers, 3, {})
def the_mean_message_counts_absent_sources():
    return cross_diffusion_attention, "pool", pool_regardless


@breaks(test_bottleneck_attention.test_numbers)
def latents_hear_absent_modalities():
    return bottleneck_attention, "pool", pool_regardless


@breaks(test_cross_diffusion_attention.test_numbers, 2, {"form": "released"})
def the_released_form_is_that_of_the_paper():
    def in_paper_form(*args, form, **kwargs):
        return cross_diffusion(*args, form="paper", **kwargs)

    return cross_diffusion_attention, "cross_diffusion", in_paper_form


@breaks(test_cross_diffusion_attention.test_an_absent_stream_is_rebuilt_from_the_others)
def absent_streams_stay_empty():
    return CrossDiffusionAttention, "rebuilds_absent", False


@breaks(
    test_mutual_former_block.test_dropout_and_stochastic_depth_act_in_training_alone
)
def branches_are_dropped_for_the_whole_batch():
    def for_the_batch(op):
        path = keras.layers.Dropout(op.stochastic_depth, (1, 1, 1), seed=op.seed)
        return [keras.layers.Dropout(op.dropout), path]

    return token_transformer, "dropouts", for_the_batch


@pytest.mark.only_on("torch", reason="the laws are the same")
@pytest.mark.parametrize("fault, law, args", FAULTS)
def test_a_fault_turns_its_law_red(fault, law, args, monkeypatch):
    check_red(fault, law, args, monkeypatch)
