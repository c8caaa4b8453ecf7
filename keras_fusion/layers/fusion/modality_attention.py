import keras
from keras import ops

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_positive,
)
from keras_fusion.layers.dropout import Dropout
from keras_fusion.layers.fusion.base import Fusion
from keras_fusion.ops.attention import affinity_logits, mix, project_heads
from keras_fusion.ops.pooling import pool
from keras_fusion.ops.positions import flatten_positions, restore_positions
from keras_fusion.ops.presence import Presence, precise, softmax, weighted_sum

POOLED = ("sum", "mean")
SINGLE = ("token", "query", "node")


@keras.saving.register_keras_serializable("keras_fusion")
class ModalityAttention(Fusion):
    """Multi-head attention over the modalities, at each position by itself.

    `Z = softmax(Q K^T / sqrt(h)) V` per head of width h, softmax over the keys, with
    the modalities as the tokens; then the output projection and the readout. With one
    head, `use_bias=False` and `output_projection=False` it is just this formula. Keys
    have no bias: one that all keys share cancels in the softmax.

    `readout` says what comes out:

    * `"sum"`, `"mean"`, `"max"`: pooled over the present modalities;
    * `"token"`: what a learned further modality receives, as BERT's class token;
    * `"query"`: external attention, what a learned query receives that is no key;
    * `"node"`: the same with the caller's `query` tensor `(B, ..., D)`;
    * None: the list of all M streams.

    Shapes: M tensors `(B, ..., D_m)` to `(B, ..., U)`, U the common width.
    Raw weights: float32, `(B, ..., N, M, M)` from query (last but one) to key, or
    `(B, ..., N, M)` where there is one query; the share that the token keeps for itself
    is one minus their sum. They sum to one over the present modalities.
    An absent modality is no key, is not pooled, and its stream is zero.

    Args:
        units: Common width U, needed where widths differ.
        num_heads: Number of heads N.
        key_dim: Width h of a head; None takes U / N, which must be whole.
        readout: See above.
        transform: `"shared"`, or `"position"`: query, key and value kernels of its own
            for each modality.
        modality_embedding: Whether to add a learned vector to each modality.
        output_projection: Whether a last linear map joins the heads. Without it the
            output has N h features.
        dropout: Rate for the attention weights.
        seed: Of the dropout.
        **kwargs: As for `Fusion`.

    Example:

    >>> modalities = [keras.random.normal((2, 8)) for _ in range(3)]
    >>> fused, weights = ModalityAttention(num_heads=2)(modalities, return_weights=True)
    >>> tuple(fused.shape), tuple(weights.shape)
    ((2, 8), (2, 2, 3, 3))

    Reference: Vaswani et al., 2017, Attention Is All You Need.
    """

    refines = True
    has_weights = True
    choices = {
        "readout": ("mean", "max", "token", "query"),
        "num_heads": (1, 2, 4),
        "transform": ("shared", "position"),
    }

    def __init__(
        self,
        units: int | None = None,
        num_heads: int = 1,
        key_dim: int | None = None,
        readout: str | None = "mean",
        transform: str = "shared",
        modality_embedding: bool = False,
        output_projection: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.key_dim = require_positive(self, "key_dim", key_dim, optional=True)
        self.readout = require_choice(
            self, "readout", readout, (*POOLED, "max", *SINGLE, None)
        )
        self.transform = require_choice(
            self, "transform", transform, ("shared", "position")
        )
        self.modality_embedding = modality_embedding
        self.output_projection = output_projection
        self.dropout = require_fraction(self, "dropout", dropout)
        self.seed = seed

    @property
    def uses_query(self):
        return self.readout == "node"

    def build(self, inputs_shape, query_shape=None):
        super().build(inputs_shape)
        width = self.units or inputs_shape[0][-1]
        self.head_dim = self.key_dim or width // self.num_heads
        inner = self.num_heads * self.head_dim
        single = self.readout in SINGLE
        keys = self.num_modalities + (self.readout == "token")
        queries = 1 if single else self.num_modalities
        query_width = query_shape[-1] if self.uses_query else width
        self.query_kernels = self._kernels("query", queries, (query_width, inner))
        self.key_kernels = self._kernels("key", keys, (width, inner))
        self.value_kernels = self._kernels("value", keys, (width, inner))
        self.query_bias = self.value_bias = 0.0
        if self.use_bias:
            self.query_bias, self.value_bias = (
                self.add_weight(shape=(inner,), initializer="zeros", name=name)
                for name in ("query_bias", "value_bias")
            )
        if single and not self.uses_query:
            self.learned_query = self._vectors("learned_query", 1, width)
        if self.modality_embedding:
            self.embeddings = self._vectors("embeddings", self.num_modalities, width)
        if self.output_projection:
            self.output_dense = self.dense("output", width, (None, inner))
        self.dropout_layer = Dropout(
            self.dropout, seed=self.seed, name="dropout", dtype=self.dtype_policy
        )

    def fuse(self, inputs, present, query=None, training=None):
        like = inputs[0]
        there = present.columns(inputs)
        there = None if there is None else flatten_positions(there)  # (B, M)
        inputs = [flatten_positions(x) for x in inputs]  # (B, D)
        if self.modality_embedding:
            inputs = [x + self.embeddings[m] for m, x in enumerate(inputs)]
        if self.readout in SINGLE:
            query = flatten_positions(query) if self.uses_query else self.learned_query
            fused, weights = self._read(query, inputs, there, training)
        else:
            fused, weights = self._exchange(inputs, there, training)
        if self.returns_streams:
            fused = [restore_positions(z, like) for z in fused]
        else:
            fused = restore_positions(fused, like)
        return fused, restore_positions(weights, like)

    def output_width(self, shapes):
        width = self.units or shapes[0][-1]
        if self.output_projection:
            return width
        return self.num_heads * (self.key_dim or width // self.num_heads)

    def check_widths(self, widths):
        super().check_widths(widths)
        width = self.units or widths[0]
        if self.key_dim is None and width % self.num_heads:
            raise ValueError(
                f"{self.name} cannot share the width {width} among "
                f"num_heads={self.num_heads}: choose a divisor, or give `key_dim`."
            )

    def _exchange(self, inputs, there, training):
        """Every modality asks all of them."""
        kernels = [self.query_kernels, self.key_kernels]
        if not self._mixes_first:
            kernels.append(self.value_kernels)
        queries, keys, *values = project_heads(inputs, kernels, self.num_heads)
        both = None
        if there is not None:
            both = ops.logical_and(there[:, None, :, None], there[:, None, None, :])
        logits = affinity_logits(self._with_query_bias(queries), keys)
        weights = softmax(logits, both)  # (B, N, M, M)
        dropped = self.dropout_layer(weights, training=training)
        if self.readout in POOLED:
            return self._pooled_exchange(dropped, inputs, values, there), weights
        streams = self._join(mix(dropped, *values))
        if self.readout == "max":
            streams = pool(streams, Presence.of(inputs, there), "max")
        return streams, weights

    def _pooled_exchange(self, weights, inputs, values, there):
        """Pools over the queries first: the output projection commutes with it."""
        count = float(len(inputs))
        if there is not None:
            there = ops.cast(there, weights.dtype)
            count = ops.maximum(ops.sum(there, axis=-1, keepdims=True), 1)[..., None]
        mean = self._gather(ops.sum(weights, axis=-2) / count, inputs, *values)
        if self.readout == "mean":
            return mean
        return mean * (count if there is None else count[..., 0])

    def _read(self, query, inputs, there, training):
        """One query asks the modalities, and itself if it is the token."""
        if self.readout == "token":
            inputs = [query + ops.zeros_like(inputs[0]), *inputs]
            if there is not None:
                there = ops.concatenate([ops.ones_like(there[:, :1]), there], axis=1)
        query = self._heads(query @ self.query_kernels[0] + self.query_bias)
        logits = ops.stack(
            [self._query_logits(query, m, x) for m, x in enumerate(inputs)], axis=-1
        )  # (B, N, J)
        weights = softmax(logits, None if there is None else there[:, None, :])
        fused = self._gather(self.dropout_layer(weights, training=training), inputs)
        return fused, weights[..., 1:] if self.readout == "token" else weights

    def _query_logits(self, query, m, x):
        """`(B, N)`: a learned query, the same for all, folds into the key kernel."""
        kernel = _own(self.key_kernels, m)
        if self.uses_query:
            key = precise(self._heads(x @ kernel))
            logits = ops.sum(precise(query) * key, axis=-1)
        else:
            shape = (-1, self.num_heads, self.head_dim)
            logits = x @ ops.sum(ops.reshape(kernel, shape) * query, axis=-1)
        return logits * self.head_dim**-0.5

    def _gather(self, weights, inputs, values=None):
        """Output `(B, U)` of one query with weights `(B, N, J)` on the inputs."""
        if self._mixes_first:
            columns = ops.split(weights[:, 0], len(inputs), axis=-1)  # J of (B, 1)
            return self._project(weighted_sum(columns, inputs) @ self.value_kernels[0])
        if values is None:
            (values,) = project_heads(inputs, [self.value_kernels], self.num_heads)
        (fused,) = self._join(mix(weights[:, :, None], values))
        return fused

    @property
    def _mixes_first(self):
        """Whether the inputs are mixed before the value projection, not after.

        One projection instead of M. With several heads every input would be mixed once
        per head, and that costs more than it saves.
        """
        one_query = self.readout in (*POOLED, *SINGLE)
        return one_query and self.num_heads == 1 and len(self.value_kernels) == 1

    def _with_query_bias(self, queries):
        if not self.use_bias:
            return queries
        bias = ops.reshape(self.query_bias, (self.num_heads, self.head_dim))
        if isinstance(queries, list):
            return [q + bias for q in queries]
        return queries + bias[:, None]

    def _join(self, mixed):
        """From the result of `mix` to the list of outputs `(B, U)`."""
        if isinstance(mixed, list):
            return [self._project(z) for z in mixed]
        count = mixed.shape[2]
        joined = self._project(ops.transpose(mixed, (0, 2, 1, 3)))  # (B * M, U)
        shape = (-1, count, joined.shape[-1])
        return ops.unstack(ops.reshape(joined, shape), count, axis=1)

    def _project(self, mixed):
        """Joins the heads. Weights sum to one, so the value bias is added once here."""
        mixed = ops.reshape(mixed, (-1, self.num_heads * self.head_dim))
        mixed = mixed + self.value_bias
        return self.output_dense(mixed) if self.output_projection else mixed

    def _heads(self, x):
        return ops.reshape(x, (-1, self.num_heads, self.head_dim))

    def _kernels(self, name, count, shape):
        """One kernel for all, or one per position."""
        own = count if self.transform == "position" else 1
        return [self.add_kernel(f"{name}_kernel_{m}", shape) for m in range(own)]

    def _vectors(self, name, count, width):
        return self.add_weight(
            shape=(count, width), initializer="random_normal", name=name
        )


def _own(kernels, m):
    return kernels[m if len(kernels) > 1 else 0]
