import keras
from keras import ops

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.attention.shapes import require_edges, require_nodes
from keras_fusion.layers.base import Layer
from keras_fusion.ops.pairwise.edges import pairwise_edges


@keras.saving.register_keras_serializable("keras_fusion")
class GraphConvolution(Layer):
    """Every node takes the normalized sum of its neighbors and itself.

    `Y = D^-1/2 (A + I) D^-1/2 X W + b`, D the degrees of `A + I` by target. An isolated
    node is left with its own `x W + b`. A loop that is listed is the node's edge of I,
    with the weight it has, not a second one.

    Call: `layer(inputs, edge_index, edge_weight=None)`

    Shapes: node features `(n, D)`, `edge_index` `(2, E)` of integers, rows source and
    target, and `edge_weight` `(E,)` to `(n, U)`. Time and memory grow with the number
    of edges. Edges are not looked into: `keras_fusion.graphs.check_edges` finds those
    that point outside the graph.

    Args:
        units: Width U of the output.
        use_bias: Whether there is a bias b.
        kernel_initializer, kernel_regularizer: Of the kernel W.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> nodes, edges = keras.random.normal((3, 8)), np.array([[0, 1], [1, 0]])
    >>> tuple(GraphConvolution(units=4)(nodes, edges).shape)
    (3, 4)

    Reference: Kipf and Welling, 2017, Semi-Supervised Classification with Graph
    Convolutional Networks.
    """

    hops = 1

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = require_positive(self, "units", units)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer

    def build(self, inputs_shape, edge_index_shape=None, edge_weight_shape=None):
        require_nodes(self, inputs_shape)
        self.kernel = self.add_kernel("kernel", (inputs_shape[-1], self.units))
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer="zeros", name="bias"
            )

    def call(self, inputs, edge_index, edge_weight=None):
        require_edges(self, edge_index, edge_weight)
        inputs = self.as_numbers(inputs)
        x = ops.matmul(inputs, self.kernel)[:, None]  # (n, 1, U)
        for _ in range(self.hops):
            x = pairwise_edges(x, x, x, edge_index, edge_weight)
        x = ops.squeeze(x, axis=1)
        return x + self.bias if self.use_bias else x

    def compute_output_shape(
        self, inputs_shape, edge_index_shape=None, edge_weight_shape=None
    ):
        return (*inputs_shape[:-1], self.units)
