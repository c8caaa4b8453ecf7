"""How much positions matter to each other: f in y_i = 1/C sum_j f(x_i, x_j) g_j(x_j).

Each function takes every row of the queries with every row of the keys, `(..., I, h)`
and `(..., J, h)` to `(..., I, J)` float32, leading axes broadcast. Under a softmax
f is the exponential of what it returns.
"""

import functools

import keras
from keras import ops


def dot_product(queries, keys):
    """`q_i k_j`; under a softmax the Gaussian, embedded where q and k are projections.

    Reference: Wang, Girshick, Gupta and He, 2018, Non-local Neural Networks.
    """
    queries, keys = ops.cast(queries, "float32"), ops.cast(keys, "float32")
    if queries.shape[-2] == keys.shape[-2] == 1:  # a batch of 1 x 1 products is slow
        return ops.sum(queries * keys, axis=-1, keepdims=True)
    return ops.matmul(queries, ops.swapaxes(keys, -1, -2))


def additive(queries, keys, activation):
    """`activation(q_i + k_j)` of scalars, h = 1: a linear map of x_i beside x_j.

    It is what a vector w gives on the concatenation `[x_i | x_j]`, since both of its
    halves can be applied before the pairs are made.
    """
    queries, keys = ops.cast(queries, "float32"), ops.cast(keys, "float32")
    return activation(queries + ops.swapaxes(keys, -1, -2))


def concatenation(queries, keys):
    """`relu(w [x_i | x_j])`, see `additive`.

    Reference: Wang, Girshick, Gupta and He, 2018, Non-local Neural Networks.
    """
    return additive(queries, keys, ops.relu)


def gat(queries, keys):
    """`leaky_relu(a [x_i | x_j])`, see `additive`.

    Reference: Velickovic et al., 2018, Graph Attention Networks.
    """
    return additive(queries, keys, leaky_relu)


def gatv2(queries, keys, vector):
    """`a leaky_relu(q_i + k_j)` with `a` (N, h), N the last of the leading axes.

    Reference: Brody, Alon and Yahav, 2022, How Attentive are Graph Attention Networks?
    """
    queries, keys = ops.expand_dims(queries, -2), ops.expand_dims(keys, -3)
    hidden = ops.cast(leaky_relu(queries + keys), "float32")  # (..., N, I, J, h)
    vector = ops.cast(vector, "float32")
    one_pair = len(hidden.shape) == 5 and hidden.shape[-3:-1] == (1, 1)
    if one_pair and keras.backend.backend() == "jax":
        # XLA does the sum below again for each number of the message it weighs.
        return _of_pairs(hidden, vector)
    return ops.sum(hidden * vector[:, None, None], axis=-1)


def _of_pairs(hidden, vector):
    """The same where each row has one query and one key, `(B, N, 1, 1, h)`."""
    heads, width = vector.shape
    blocks = ops.eye(heads, dtype="float32")[:, None] * vector[..., None]  # (N, h, N)
    blocks = ops.reshape(blocks, (heads * width, heads))
    logits = ops.matmul(ops.reshape(hidden, (-1, heads * width)), blocks)
    return ops.reshape(logits, (-1, heads, 1, 1))


def constant(queries, keys):
    """1, whatever the features: convolution, and the adjacency of a graph."""
    queries, keys = queries[..., :1], keys[..., :1]
    ones = ops.ones_like(queries, dtype="float32")
    return ones + ops.zeros_like(ops.swapaxes(keys, -1, -2), dtype="float32")


leaky_relu = functools.partial(ops.leaky_relu, negative_slope=0.2)
