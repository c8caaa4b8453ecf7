"""The laws can fail: each fault, switched on, turns the law that it breaks red."""

import types

import keras
import pytest
from keras import ops, random

from keras_fusion.layers import (
    Concatenation,
    Fusion,
    ModalityAttention,
    ModalityDropout,
    ModalityTransformer,
    SoftmaxGating,
)
from keras_fusion.layers.augmentation import modality_dropout
from keras_fusion.layers.fusion import (
    averaging,
    base,
    modality_attention,
    softmax_gating,
)
from keras_fusion.ops.attention import affinity_logits
from keras_fusion.ops.presence import Presence, select, softmax
from keras_fusion.testing import laws
from tests.layers import (
    test_contract,
    test_precision,
    test_refusals,
    test_saving,
)
from tests.layers.augmentation import test_modality_dropout
from tests.layers.cases import WIDTH, Case
from tests.layers.faults import Faults, check_red
from tests.layers.fusion import test_baselines, test_modality_attention

ABSENCE = test_contract.test_absent_modalities_have_no_influence
ALL_ABSENT = test_contract.test_all_absent_gives_zeros_and_finite_gradients
GRADIENTS = test_contract.test_every_weight_and_every_input_gets_a_gradient
WEIGHTS = test_contract.test_weights_obey_what_they_document
BATCHES = [(1, 2, WIDTH), (3, 2, WIDTH)]

FAULTS = Faults()
breaks = FAULTS.breaks


def subject(law, name, **config):
    law(test_contract.Subject(Case(name, config), count=3))


def subject_with_units(law, name):
    subject(law, name, units=6)


@breaks(subject, ABSENCE, "Averaging")
def the_mask_is_ignored():
    return Presence, "of", classmethod(lambda cls, *args: cls())


@breaks(subject, ABSENCE, "Concatenation")
def absence_is_multiplied_away():
    def multiply(self, inputs, absent=0):
        return [x * ops.cast(self[m], x.dtype) for m, x in enumerate(inputs)]

    return Presence, "select", multiply


@breaks(subject_with_units, ABSENCE, "Averaging")
def selected_after_the_projection_only():
    select_all = Presence.select

    def select_projected(self, inputs, absent=0):
        return inputs if inputs[0].shape[-1] == WIDTH else select_all(self, inputs)

    return Presence, "select", select_projected


@breaks(subject, ALL_ABSENT, "ModalityAttention")
def the_output_where_all_is_absent_is_not_zeroed():
    return base, "select", lambda fused, present: fused


@breaks(subject, WEIGHTS, "SoftmaxGating")
def weights_are_not_renormalized():
    def softmax_of_all(logits, present=None):
        return select(softmax(logits), present)

    return softmax_gating, "softmax", softmax_of_all


@breaks(subject, WEIGHTS, "ModalityAttention")
def softmax_over_the_queries():
    def softmax_over_queries(logits, present):
        return softmax(logits, present, axis=-2)

    return modality_attention, "softmax", softmax_over_queries


@breaks(subject, GRADIENTS, "ModalityAttention")
def the_value_bias_is_dropped():
    project = ModalityAttention._project

    def without_bias(self, mixed):
        bias, self.value_bias = self.value_bias, 0.0
        answer = project(self, mixed)
        self.value_bias = bias
        return answer

    return ModalityAttention, "_project", without_bias


@breaks(subject, GRADIENTS, "ModalityTransformer")
def the_second_half_of_a_block_is_skipped():
    def nothing(self, streams):
        return [ops.zeros_like(x) for x in streams]

    return ModalityTransformer, "_feed_forward", nothing


@breaks(test_contract.test_a_batch_is_its_samples_one_by_one, Case("Averaging", {}))
def batch_statistics_leak_between_samples():
    def centered(inputs, present, readout):
        mean = sum(inputs) / len(inputs)
        return mean - ops.mean(mean, axis=0, keepdims=True)

    return averaging, "pool", centered


@breaks(
    test_contract.test_operators_without_weights_point_to_shapley_values,
    Case("SoftmaxGating", {}),
)
def asking_for_weights_changes_the_output():
    call = Fusion.call

    def changed(self, inputs, return_weights=False, **kwargs):
        answer = call(self, inputs, return_weights=return_weights, **kwargs)
        return (answer[0] * 1.01, answer[1]) if return_weights else answer

    return Fusion, "call", changed


@breaks(test_contract.test_output_shapes, Case("Concatenation", {}), 2)
def a_wrong_output_shape_is_promised():
    return Concatenation, "output_width", lambda self, shapes: shapes[0][-1]


@breaks(
    test_precision.test_float16_is_finite_where_the_true_value_fits,
    Case("ModalityAttention", {}),
)
def logits_in_float16():
    def low(queries, keys):
        rows = [[ops.sum(q * k, axis=-1) for k in keys] for q in queries]
        return ops.stack([ops.stack(row, axis=-1) for row in rows], axis=-2)

    return modality_attention, "affinity_logits", low


@breaks(
    test_precision.test_mixed_precision_is_close_to_float32,
    Case("Concatenation", {"units": WIDTH}),
    "bfloat16",
)
def sublayers_do_not_get_the_policy():
    def plain(self, *args, **kwargs):
        return dense(self, *args, **kwargs, dtype="float32")

    dense = Fusion.dense
    return Fusion, "dense", plain


@breaks(
    test_saving.test_a_restored_operator_makes_the_same_kernels,
    Case("SoftmaxGating", {}),
)
def the_configuration_is_dropped():
    def short(self):
        return {k: v for k, v in whole(self).items() if k != "kernel_initializer"}

    whole = Fusion.get_config
    return Fusion, "get_config", short


@breaks(
    test_contract.test_the_public_laws,
    Case("SoftmaxGating", {}),
    laws.check_weights_are_tracked,
)
def a_weight_is_not_tracked():
    def build_untracked(self, input_shape):
        Fusion.build(self, input_shape)
        object.__setattr__(self, "gate", keras.layers.Dense(self.num_modalities))
        self.gate.build((None, self.num_modalities * WIDTH))

    return SoftmaxGating, "build", build_untracked


@breaks(test_modality_attention.test_bare_it_is_the_formula, 3)
def logits_are_not_scaled():
    def unscaled(queries, keys):
        return affinity_logits(queries, keys) * 2

    return modality_attention, "affinity_logits", unscaled


@breaks(test_modality_attention.test_numbers, "token", "shared", False, 1)
def the_token_is_no_key():
    def without_first(logits, present):
        rest = softmax(logits[..., 1:], None if present is None else present[..., 1:])
        return ops.concatenate([ops.zeros_like(rest[..., :1]), rest], axis=-1)

    return modality_attention, "softmax", without_first


@breaks(test_baselines.test_only_what_is_present_counts, "Averaging")
def the_mean_counts_what_is_absent():
    return averaging, "pool", lambda inputs, *args: sum(inputs) / len(inputs)


@breaks(test_refusals.test_what_would_broadcast, Case("Summation", {}), BATCHES)
def broadcasting_is_not_refused():
    return base, "check_call", lambda *args: None


@breaks(test_modality_dropout.test_the_rate)
def modalities_are_dropped_for_the_whole_batch():
    def one_row(shape, seed):
        return random.uniform((1, shape[1]), seed=seed) + ops.zeros(shape)

    faulty = types.SimpleNamespace(uniform=one_row, SeedGenerator=random.SeedGenerator)

    return modality_dropout, "random", faulty


@breaks(test_modality_dropout.test_the_last_one_present_stays, 2)
def the_last_one_present_may_go():
    def drop(self, modality_mask):
        draws = random.uniform(ops.shape(modality_mask), seed=self.seed_generator)
        return ops.logical_and(modality_mask, draws >= self.rate)

    return ModalityDropout, "_drop", drop


@pytest.mark.only_on("torch", reason="the laws are the same")
@pytest.mark.parametrize("fault, law, args", FAULTS)
def test_a_fault_turns_its_law_red(fault, law, args, monkeypatch):
    check_red(fault, law, args, monkeypatch)


def test_there_are_enough_faults():
    assert len(FAULTS) >= 15
