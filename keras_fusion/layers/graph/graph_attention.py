import functools

import keras
from keras import ops

from keras_fusion.layers.arguments import (
    require_choice,
    require_fraction,
    require_positive,
)
from keras_fusion.layers.attention.shapes import require_edges, require_nodes
from keras_fusion.layers.base import Layer
from keras_fusion.layers.dropout import Dropout
from keras_fusion.ops.diffusion.affinity import gat, gatv2
from keras_fusion.ops.pairwise.edges import pairwise_edges


@keras.saving.register_keras_serializable("keras_fusion")
class GraphAttention(Layer):
    """Every node attends to its neighbors and itself.

    `y_i = sum_j softmax_j(e_ij) x_j W + b` per head, with `affinity`

    * `"gat"`: `e_ij = leaky_relu(a_t . x_i W + a_s . x_j W)`, the same ranking of the
      neighbors for every i;
    * `"gatv2"`: `e_ij = a . leaky_relu(x_i W_t + x_j W)`, a ranking of its own for
      each i.

    The slope of the leaky ReLU is 0.2, as published. An isolated node is left with its
    own `x W + b`. A loop that is listed is the node's own edge, not a second one.

    Call: `layer(inputs, edge_index, training=None)`

    Shapes: node features `(n, D)` and `edge_index` `(2, E)` of integers, rows source
    and target, to `(n, U)`. Time and memory grow with the number of edges. Edges are
    not looked into: `keras_fusion.graphs.check_edges` finds those that point outside
    the graph.

    Args:
        units: Width U of the output.
        num_heads: Number of heads N.
        affinity: See above.
        merge: `"concatenate"` the heads, U / N wide each, or take their `"mean"`, U
            wide each, as published for the last layer.
        dropout: Rate for the attention weights.
        seed: Of the dropout.
        use_bias: Whether there is a bias b.
        kernel_initializer, kernel_regularizer: Of every kernel, a included.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> nodes, edges = keras.random.normal((3, 8)), np.array([[0, 1], [1, 0]])
    >>> tuple(GraphAttention(units=4, num_heads=2)(nodes, edges).shape)
    (3, 4)

    References: Velickovic et al., 2018, Graph Attention Networks. Brody, Alon and
    Yahav, 2022, How Attentive are Graph Attention Networks?
    """

    def __init__(
        self,
        units: int,
        num_heads: int = 1,
        affinity: str = "gat",
        merge: str = "concatenate",
        dropout: float = 0.0,
        seed: int | None = None,
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = require_positive(self, "units", units)
        self.num_heads = require_positive(self, "num_heads", num_heads)
        self.affinity = require_choice(self, "affinity", affinity, ("gat", "gatv2"))
        self.merge = require_choice(self, "merge", merge, ("concatenate", "mean"))
        self.dropout = require_fraction(self, "dropout", dropout)
        self.seed = seed
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer
        if merge == "concatenate" and self.units % self.num_heads:
            raise ValueError(
                f"{self.name} cannot share units={self.units} among "
                f"num_heads={self.num_heads}: choose a divisor, or merge='mean'."
            )

    def build(self, inputs_shape, edge_index_shape=None):
        require_nodes(self, inputs_shape)
        shared = self.merge == "concatenate"
        self.head_dim = self.units // self.num_heads if shared else self.units
        heads = self.num_heads, self.head_dim
        shape = (inputs_shape[-1], self.num_heads * self.head_dim)
        self.kernel = self.add_kernel("kernel", shape)
        if self.affinity == "gat":
            self.source_kernel = self.add_kernel("source_kernel", heads)
            self.target_kernel = self.add_kernel("target_kernel", heads)
        else:
            self.target_kernel = self.add_kernel("target_kernel", shape)
            self.affinity_kernel = self.add_kernel("affinity_kernel", heads)
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer="zeros", name="bias"
            )
        self.dropout_layer = Dropout(
            self.dropout, seed=self.seed, name="dropout", dtype="float32"
        )

    def call(self, inputs, edge_index, training=None):
        require_edges(self, edge_index)
        training = self.resolve_training(training)
        inputs = self.as_numbers(inputs)
        values = self._heads(ops.matmul(inputs, self.kernel))
        if self.affinity == "gat":
            queries = _score(values, self.target_kernel)
            keys, f = _score(values, self.source_kernel), gat
        else:
            queries = self._heads(ops.matmul(inputs, self.target_kernel))
            keys, f = values, functools.partial(gatv2, vector=self.affinity_kernel)
        drop = None
        if training and self.dropout:
            drop = functools.partial(self.dropout_layer, training=True)
        mixed = pairwise_edges(
            queries, keys, values, edge_index, None, f, "softmax", dropout=drop
        )  # (n, N, h)
        if self.merge == "mean":
            mixed = ops.mean(mixed, axis=1)
        else:
            mixed = ops.reshape(mixed, (-1, self.units))
        return mixed + self.bias if self.use_bias else mixed

    def compute_output_shape(self, inputs_shape, edge_index_shape=None):
        return (*inputs_shape[:-1], self.units)

    def _heads(self, x):
        return ops.reshape(x, (-1, self.num_heads, self.head_dim))


def _score(values, vectors):
    """`(n, N, h)` and one vector per head to `(n, N, 1)` float32."""
    products = ops.cast(values, "float32") * ops.cast(vectors, "float32")
    return ops.sum(products, axis=-1, keepdims=True)
