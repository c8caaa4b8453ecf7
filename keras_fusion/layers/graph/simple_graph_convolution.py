import keras

from keras_fusion.layers.arguments import require_positive
from keras_fusion.layers.graph.graph_convolution import GraphConvolution


@keras.saving.register_keras_serializable("keras_fusion")
class SimpleGraphConvolution(GraphConvolution):
    """Several hops of graph convolution with one linear map and nothing in between.

    `Y = S^K X W + b`, `S = D^-1/2 (A + I) D^-1/2`. With one hop it is
    `GraphConvolution`.

    Call: `layer(inputs, edge_index, edge_weight=None)`

    Shapes: node features `(n, D)`, `edge_index` `(2, E)` of integers, rows source and
    target, and `edge_weight` `(E,)` to `(n, U)`.

    Args:
        units: Width U of the output.
        hops: Number of hops K.
        use_bias: Whether there is a bias b.
        kernel_initializer, kernel_regularizer: Of the kernel W.
        **kwargs: For `keras.layers.Layer`.

    Example:

    >>> nodes, edges = keras.random.normal((3, 8)), np.array([[0, 1], [1, 0]])
    >>> tuple(SimpleGraphConvolution(units=4)(nodes, edges).shape)
    (3, 4)

    Reference: Wu et al., 2019, Simplifying Graph Convolutional Networks.
    """

    def __init__(
        self,
        units: int,
        hops: int = 2,
        use_bias: bool = True,
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        kernel_regularizer: str | keras.Regularizer | None = None,
        **kwargs,
    ):
        super().__init__(
            units, use_bias, kernel_initializer, kernel_regularizer, **kwargs
        )
        self.hops = require_positive(self, "hops", hops)
