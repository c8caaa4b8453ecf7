"""The contract of an operator."""

import functools
from typing import ClassVar

import keras
from keras import ops, tree

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.base import Layer
from keras_fusion.layers.fusion.checks import (
    check_attention_mask,
    check_call,
    check_shapes,
)
from keras_fusion.layers.shapes import merge
from keras_fusion.layers.with_mask import WithMask
from keras_fusion.ops.presence import Presence, select


class Fusion(Layer):
    """Base of the layers that fuse M modalities into one tensor.

    A subclass writes `fuse(inputs, present, query, training)` and gets from here the
    checks, the projection to a common width and the masks: what is absent reaches
    `fuse` as exact zeros, and the output is zero where nothing is present.

    Call:
        `op(inputs, query=None, modality_mask=None, mask=None, attention_mask=None,
        training=None, return_weights=False)`

        inputs: list of M >= 1 tensors: `(B, ..., D_m)` with equal leading axes, or
            sets of tokens `(B, T_m, D_m)` for an operator that `takes = "tokens"`.
        query: tensor `(B, ..., D)`, for the operators that read out with one.
        modality_mask: `(B, M)` bool, True = present. An absent modality has no
            influence on output and gradients, even where it holds NaN.
        mask: list of M tensors `(B, T_m)` bool or None, True = keep (Keras' convention;
            masks that Keras attached to the inputs are honored).
        attention_mask: `(B, T, T)` or `(1, T, T)` bool, T the tokens of all modalities
            in order, True = the first may attend to the second, for `JointAttention`
            and the cross-attentions; `keras_fusion.ops.causal_mask` makes one.
        return_weights: also return the raw weights, `(B, ..., M)`; or with `"tokens"`
            those of these operators and of `LatentAttention` from token to token,
            `(B, N, Q, T)`, Q what asks.

    Args:
        units: Common width U. Where a modality's width differs from it, every
            modality gets a `Dense(units)` of its own. None: no projection, widths
            must agree.
        use_bias: Whether the projections have a bias.
        kernel_initializer, kernel_regularizer: Of every kernel in the layer.
        **kwargs: `name`, `dtype` and the like, for `keras.layers.Layer`.

    Raises:
        ValueError: If the inputs do not fit; the message says what came.
    """

    takes = "aligned"  # or "tokens"
    aligned_tokens = False  # of sets of tokens: whether all must have as many
    min_modalities = 1
    max_modalities = None
    refines = False
    rebuilds_absent = False  # whether the stream of an absent modality is not zero
    projects = True  # whether modalities of other widths than `units` are projected
    has_weights = False
    uses_query = False
    attends_to_tokens = False  # whether there are weights from token to token
    takes_attention_mask = False
    searched = True  # whether a search tries it where nobody names operators
    choices: ClassVar[dict] = {}  # what a search tries, by argument

    def __init__(
        self,
        units: int | None = None,
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = require_positive(self, "units", units, optional=True)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, input_shape):
        self.check(input_shape)
        self.num_modalities = len(input_shape)
        self.widths = [s[-1] for s in input_shape]
        self.projections = []
        if self.projects and self.units and set(self.widths) != {self.units}:
            self.projections = [
                self.dense(f"projection_{m}", self.units, s)
                for m, s in enumerate(input_shape)
            ]
        self.hand_on = WithMask(name="hand_on", dtype=self.dtype_policy, autocast=False)
        self.hand_on.build([(None,), (None,)])

    def call(
        self,
        inputs,
        query=None,
        modality_mask=None,
        mask=None,
        inputs_mask=None,  # where Keras puts attached masks if there is a query too
        attention_mask=None,
        training=None,
        return_weights=False,
    ):
        mask = inputs_mask if mask is None else mask
        if isinstance(modality_mask, (list, tuple)):
            modality_mask = ops.convert_to_tensor(modality_mask, "bool")
        check_call(self, inputs, query, modality_mask, mask, return_weights)
        check_attention_mask(self, inputs, attention_mask)
        inputs = [self.as_numbers(x) for x in inputs]
        query = None if query is None else self.as_numbers(query)
        training = self.resolve_training(training)
        present = Presence.of(inputs, modality_mask, mask)
        inputs = present.select(inputs)
        if self.projections:
            inputs = [project(x) for project, x in zip(self.projections, inputs)]
            inputs = present.select(inputs)
        further = {} if attention_mask is None else {"attention_mask": attention_mask}
        fused, weights = self.fuse(
            inputs, present, query=query, training=training, **further
        )
        fused = self._zero_where_absent(fused, present)
        if modality_mask is not None and mask is not None:
            fused = self._with_masks(fused, present, mask)
        if not return_weights:
            return fused
        if return_weights == "tokens":
            return fused, weights.of_tokens()
        return fused, _tensor(weights, fused)

    def fuse(self, inputs, present, query=None, training=None):
        """From equally wide inputs to `(fused, weights)`.

        Args:
            inputs: list of M tensors `(B, ..., U)`, zero where absent.
            present: `keras_fusion.ops.Presence` of the inputs.
            query: the caller's query tensor or None.
            training: Python bool or None.

        Returns:
            fused, one tensor or the list of M streams, and the raw weights: a tensor
            `(B, ..., M)`, a list of M tensors that broadcast to the inputs, None, or a
            function that returns the tensor, where that costs something, such as
            `keras_fusion.ops.tokens.TokenWeights`.
        """
        raise NotImplementedError

    def compute_mask(self, inputs, previous_mask=None):
        masks = previous_mask if isinstance(previous_mask, (list, tuple)) else []
        if self.pools_tokens or not masks:
            return None
        if self.returns_streams and not self.rebuilds_absent:
            return list(masks)
        whole = any(m is None for m in masks)
        merged = None if whole else functools.reduce(ops.logical_or, masks)
        return [merged] * len(masks) if self.returns_streams else merged

    def compute_output_shape(self, input_shape):
        self.check(input_shape)
        width = self.output_width(input_shape)
        if self.returns_streams:
            return [(*s[:-1], width) for s in input_shape]
        leading = 1 if self.pools_tokens else -1
        return (*merge(s[:leading] for s in input_shape), width)

    def compute_output_spec(self, *args, **kwargs):
        # By tracing: the shapes alone do not tell what `return_weights` adds. And not
        # `call` but all of `__call__`, which casts variables in mixed precision.
        trace = keras.Operation()
        trace.call = self.__call__
        return trace.compute_output_spec(*args, **kwargs)

    @property
    def returns_streams(self) -> bool:
        """Whether the output is the list of M refined streams."""
        return self.refines and self.readout is None

    @property
    def pools_tokens(self) -> bool:
        """Whether the output is one vector for sets of tokens of any length."""
        free = self.takes == "tokens" and not self.aligned_tokens
        return free and not self.returns_streams

    def output_width(self, shapes) -> int:
        """Width of the output for inputs of these shapes."""
        return self.units or shapes[0][-1]

    def check(self, shapes):
        """Raises a ValueError that says why inputs of these shapes do not fit.

        Args:
            shapes: list of M shapes, batch axis included; None = any.
        """
        check_shapes(self, shapes)
        self.check_widths([s[-1] for s in shapes])

    def check_widths(self, widths):
        """Raises a ValueError if inputs of these widths D_m do not fit."""
        if self.units is None and len(set(widths)) > 1:
            raise ValueError(
                f"{self.name} got modalities of different widths {widths}: give "
                "`units` to project them to a common width."
            )

    def _with_masks(self, fused, present, masks):
        """`fused` with the tokens that are there as its masks.

        Keras would hand on what the masks alone say. A sample of which nothing is there
        keeps its zeros: their mean is zero, not 0 / 0.
        """
        ranks = [len(mask.shape) for mask in masks if mask is not None]
        own = self.returns_streams and not self.rebuilds_absent
        if own or self.pools_tokens or not ranks:
            return fused
        kept = present.any()
        kept = kept[(..., *[0] * (len(kept.shape) - max(ranks)))]
        some = ops.any(kept, axis=tuple(range(1, max(ranks))), keepdims=True)
        kept = ops.logical_or(kept, ops.logical_not(some))
        return tree.map_structure(lambda x: self.hand_on([x, kept]), fused)

    def _zero_where_absent(self, fused, present):
        if self.returns_streams and not self.rebuilds_absent:
            return present.select(fused)
        there = present.any_token() if self.pools_tokens else present.any()
        if self.pools_tokens and there is not None and len(fused.shape) == 3:
            there = there[:, None]  # latents (B, K, U)
        return tree.map_structure(lambda x: select(x, there), fused)


def _tensor(weights, fused):
    """What `fuse` gave as weights, as one tensor `(..., M)`."""
    if callable(weights):
        return weights()
    if not isinstance(weights, (list, tuple)):
        return weights
    full = [w + ops.zeros_like(fused, dtype=w.dtype) for w in weights]
    return ops.stack(full, axis=-1)
