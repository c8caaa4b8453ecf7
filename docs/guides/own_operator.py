# %% [markdown]
# # An operator of your own
#
# An operator is a layer that fuses. It subclasses `Fusion`, writes one method, and gets
# the rest from there: checks of its inputs, projections to a common width, masks. Any
# builder and any search takes it by its name.

# %%
import keras
import numpy as np
from keras import ops

from keras_fusion.layers import Fusion
from keras_fusion.testing import check_operator
from keras_fusion.zoo import FusionClassifier


@keras.saving.register_keras_serializable("mine")
class PowerMean(Fusion):
    """The root of the mean of squares over the modalities that are present.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`.

    Args:
        epsilon: Keeps the gradient of the root finite.
        **kwargs: As for `Fusion`.
    """

    def __init__(self, units=None, epsilon=1e-6, **kwargs):
        super().__init__(units, **kwargs)
        self.epsilon = epsilon

    def fuse(self, inputs, present, query=None, training=None):
        squares = sum(ops.square(x) for x in inputs)
        return ops.sqrt(squares / present.count(inputs) + self.epsilon), None


# %% [markdown]
# Three things make this an operator that keeps the contract:
#
# - what is absent reaches `fuse` as exact zeros, so a sum needs no mask, and the mean
#   divides by how many are present, which `Presence` knows;
# - `__init__` stores its arguments unchanged, so that `get_config` comes for free;
# - the second value that `fuse` returns is the weights of the modalities, or None.
#
# ## It works at once

# %%
image, sound = np.ones((2, 8), "float32"), np.full((2, 8), 3.0, "float32")
print(ops.convert_to_numpy(PowerMean()([image, sound]))[0, 0])  # sqrt((1 + 9) / 2)

# %% [markdown]
# ## It keeps the contract
#
# `check_operator` asks copies of the layer, with random weights, for what every
# operator promises: an absent modality has no influence, even where it holds NaN; the
# output is finite where nothing is there; a batch gives what its rows give one by one;
# masks of tokens, gradients and half precision are right; the layer is the same after
# saving. It raises an `AssertionError` that says which law is broken.

# %%
inputs = [np.random.default_rng(m).normal(size=(3, 5)) for m in range(2)]
check_operator(PowerMean(units=4), inputs)
print("the contract holds")

# %% [markdown]
# A layer whose samples move each other breaks the contract, and is found. Whether the
# formula itself is right is for a test of your own: a mean that divided by all
# modalities, absent ones too, would pass.


# %%
@keras.saving.register_keras_serializable("mine")
class BatchMean(PowerMean):
    """The mistake: every sample moves all others."""

    def fuse(self, inputs, present, query=None, training=None):
        inputs = [x - ops.mean(x, axis=0) for x in inputs]
        return super().fuse(inputs, present, query, training)


try:
    check_operator(BatchMean(units=4), inputs)
except AssertionError as error:
    print(error)

# %% [markdown]
# ## Any builder takes it
#
# Its name is that of its registration, `package>Name`.

# %%
model = FusionClassifier(
    {"image": 5, "sound": 7}, classes=3, fusion="mine>PowerMean", modality_mask=True
)
model.save("mine.keras")
again = keras.saving.load_model("mine.keras")
print(again.get_layer("fusion"))

# %% [markdown]
# If the operator computes weights, set `has_weights = True` and return them as a tensor
# `(B, ..., M)` or as a list of M tensors: `zoo.modality_weights` then reads them. If it
# works on sets of tokens `(B, T_m, D_m)`, set `takes = "tokens"`. What a search should
# try stands in `choices`, by argument.
