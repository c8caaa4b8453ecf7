"""The public check: right operators pass, each kind of broken one fails."""

import keras
import pytest
from keras import ops

from keras_fusion import layers
from keras_fusion.testing import check_operator
from tests.layers.cases import inputs_for, modalities


def test_operators_of_the_library_pass():
    op = layers.SoftmaxGating(units=6)
    check_operator(op, inputs_for(op))


class Mean(keras.layers.Layer):
    """An operator as somebody outside would write it, without the library's base."""

    def call(self, inputs, modality_mask=None):
        if modality_mask is None:
            return sum(inputs) / len(inputs)
        there = [modality_mask[:, m, None, None] for m in range(len(inputs))]
        total = sum(ops.where(p, x, 0.0) for p, x in zip(there, inputs))
        return total / ops.maximum(sum(ops.cast(p, total.dtype) for p in there), 1)

    def compute_output_shape(self, shapes):
        return tuple(shapes[0])


@keras.saving.register_keras_serializable("tests")
class Right(Mean):
    pass


@keras.saving.register_keras_serializable("tests")
class MaskIgnored(Mean):
    def call(self, inputs, modality_mask=None):
        return super().call(inputs)


@keras.saving.register_keras_serializable("tests")
class NaNLeaks(Mean):
    def call(self, inputs, modality_mask=None):
        if modality_mask is None:
            return super().call(inputs)
        there = ops.cast(modality_mask, "float32")
        return sum(there[:, m, None, None] * x for m, x in enumerate(inputs))


@keras.saving.register_keras_serializable("tests")
class Untracked(Mean):
    def call(self, inputs, modality_mask=None):
        if not hasattr(self, "hidden"):
            width = inputs[0].shape[-1]
            drawn = keras.random.normal((width,))
            object.__setattr__(self, "hidden", drawn)
        return super().call(inputs, modality_mask) * self.hidden


@keras.saving.register_keras_serializable("tests")
class WrongShape(Mean):
    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], 7)


@keras.saving.register_keras_serializable("tests")
class SamplesMix(Mean):
    def call(self, inputs, modality_mask=None):
        mean = super().call(inputs, modality_mask)
        return mean - ops.mean(mean, axis=0, keepdims=True)


@keras.saving.register_keras_serializable("tests")
class TokenMaskIgnored(Mean):
    def compute_mask(self, inputs, mask=None):
        return None

    def call(self, inputs, modality_mask=None, mask=None):
        return super().call(inputs, modality_mask)


@keras.saving.register_keras_serializable("tests")
class WeightUnused(Mean):
    def build(self, shapes):
        self.scale = self.add_weight(name="scale")

    def call(self, inputs, modality_mask=None):
        return super().call(inputs, modality_mask) + 0 * self.scale


@keras.saving.register_keras_serializable("tests")
class Float32Alone(Mean):
    def call(self, inputs, modality_mask=None):
        return ops.cast(super().call(inputs, modality_mask), "float32")


@keras.saving.register_keras_serializable("tests")
class NotSerializable(Mean):
    def __init__(self, power, **kwargs):
        super().__init__(**kwargs)

    def get_config(self):
        return keras.layers.Layer.get_config(self)


def test_an_operator_from_outside_passes():
    check_operator(Right(), modalities())


@pytest.mark.parametrize(
    "operator, law",
    [
        (MaskIgnored(), "lets an absent modality influence"),
        (NaNLeaks(), "NaN of an absent modality"),
        (Untracked(), "does not track"),
        (WrongShape(), "promises the shape"),
        (SamplesMix(), "one sample depend on others"),
        (TokenMaskIgnored(), "a token that the mask leaves out"),
        (WeightUnused(), "a weight without a gradient"),
        (Float32Alone(), "gives .'float32'. under mixed_bfloat16"),
        (NotSerializable(2), "is not made again by its configuration"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_broken_operator_is_told_its_law(operator, law):
    with pytest.raises(AssertionError, match=f"{type(operator).__name__} .*{law}"):
        check_operator(operator, modalities())
