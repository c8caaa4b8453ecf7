"""Parts that the transformer blocks among the operators share."""

import functools
import random

import keras
from keras import ops

from keras_fusion.layers.base import Layer
from keras_fusion.layers.dropout import Dropout
from keras_fusion.layers.recomputed import recomputed
from keras_fusion.ops.tokens import join_heads, split_heads


def mlp(op, width):
    """Two built `Dense`, of `op.intermediate_dim` (None: 4 U) and U features."""
    hidden = op.intermediate_dim or 4 * width
    return [
        op.dense("mlp_hidden", hidden, (None, width), activation=op.activation),
        op.dense("mlp_output", width, (None, hidden)),
    ]


def apply(layers, x, **kwargs):
    """`x` through one layer after the other."""
    for layer in layers:
        x = layer(x, **kwargs)
    return x


def dropouts(op):
    """Dropout of numbers, then of the whole branch for a sample (stochastic depth).

    One pair for the whole operator: with a seed, two layers would draw the same.
    """
    rates = {
        "numbers": (op.dropout, None),
        "branches": (op.stochastic_depth, (None, 1, 1)),
    }
    return [
        Dropout(
            *rate,
            seed=seed_of(op, part),
            dtype=op.dtype_policy,
            name=f"dropout_of_{part}",
        )
        for part, rate in rates.items()
    ]


def seed_of(op, part):
    """A seed for the layer that is this part of `op`: by one seed all draw the same."""
    if op.seed is None:
        return None
    return random.Random(f"{op.seed} {part}").getrandbits(31)


def dropper(layers, training):
    """`dropouts` as a function of one tensor."""
    return functools.partial(apply, layers, training=training)


def weight_dropper(op, training):
    """The first of the `dropouts` as a function, or None where it does nothing."""
    return dropper(op.dropouts[:1], training) if training and op.dropout else None


class NormedHeads(keras.layers.Layer):
    """`LN(x) W` as some sets of heads: queries, keys, values, or what is needed.

    Args:
        op: The operator it belongs to.
        name: What it is in it.
        width: Width U.
        parts: How many sets.
    """

    def __init__(self, op: Layer, name: str, width: int, parts: int = 3):
        super().__init__(dtype=op.dtype_policy, name=name)
        self.parts = parts
        self.num_heads = op.num_heads
        with keras.name_scope(name):
            self.norm = op.layer_norm("norm", width, op.layer_norm_epsilon)
            self.projection = op.dense("projection", parts * width, (None, width))
        self.build((None, None, width))

    def call(self, x):
        """`(B, T, U)` to `parts` tensors `(B, N, T, h)`."""
        parts = ops.split(self.projection(self.norm(x)), self.parts, axis=-1)
        return [split_heads(part, self.num_heads) for part in parts]


class ResidualHalves(keras.layers.Layer):
    """`y = x + O(attended)`, `z = y + MLP(LN(y))`.

    Args:
        op: The operator it belongs to.
        name: What it is in it.
        width: Width U.
    """

    def __init__(self, op: Layer, name: str, width: int):
        super().__init__(dtype=op.dtype_policy, name=name)
        with keras.name_scope(name):
            self.output_dense = op.dense("output", width, (None, width))
            self.norm = op.layer_norm("norm", width, op.layer_norm_epsilon)
            self.mlp = mlp(op, width)
        self.build((None, None, width))

    def call(self, x, attended, drop):
        """`(B, T, U)` from `x` and `attended` `(B, N, T, h)`; `drop` drops branches."""
        x = self.add(x, attended, drop)
        return x + self.gate("mlp", drop(apply(self.mlp, self.norm(x))))

    def rematerialized_call(self, layer_call, *args, **kwargs):
        """The call under `keras.RematScope`: `drop` is no tensor."""
        keras_own = super().rematerialized_call
        return recomputed(
            self, layer_call, lambda call: keras_own(call, *args, **kwargs)
        )

    def add(self, x, attended, drop):
        """The first half alone."""
        branch = drop(self.output_dense(join_heads(attended)))
        return x + self.gate("attention", branch)

    def gate(self, half, branch):
        """What a half adds, as it is."""
        return branch


class GatedHalves(ResidualHalves):
    """`y = x + tanh(a) O(attended)`, `z = y + tanh(b) MLP(LN(y))`, a, b zero at first.

    Args:
        op, name, width: As for `ResidualHalves`.
    """

    def build(self, input_shape):
        self.gates = {
            half: self.add_weight(shape=(), initializer="zeros", name=f"{half}_gate")
            for half in ("attention", "mlp")
        }
        super().build(input_shape)

    def gate(self, half, branch):
        """What a half adds, behind its gate."""
        return ops.cast(ops.tanh(self.gates[half]), branch.dtype) * branch
