"""Slow float64 numpy, straight from the formulas."""

import math

import numpy as np

from tests.conftest import to_numpy


def float64(x):
    return to_numpy(x).astype("float64")


def dense(layer, x):
    """What a `Dense` computes before its activation."""
    bias = float64(layer.bias) if layer.use_bias else 0
    return x @ float64(layer.kernel) + bias


def softmax(logits, axis=-1):
    exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return x * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))) / 2


def layer_norm(layer, x):
    centered = x - x.mean(axis=-1, keepdims=True)
    variance = (centered**2).mean(axis=-1, keepdims=True)
    normed = centered / np.sqrt(variance + layer.epsilon)
    return normed * float64(layer.gamma) + float64(layer.beta)


def attention(op, inputs, query=None, there=None):
    """`ModalityAttention` on vectors, one sample and one query after the other.

    Returns:
        The streams or readout of each sample, stacked: `(B, M, U)` or `(B, U)`.
    """
    inputs = [float64(x) for x in inputs]
    if op.modality_embedding:
        vectors = float64(op.embeddings)
        inputs = [x + e for x, e in zip(inputs, vectors, strict=True)]
    answers = []
    for b in range(len(inputs[0])):
        present = np.ones(len(inputs), bool) if there is None else there[b]
        keys = [x[b] for x in inputs]
        queries = list(keys)
        if op.readout in ("token", "query"):
            queries = [float64(op.learned_query)[0]]
        if op.readout == "node":
            queries = [float64(query[b])]
        if op.readout == "token":
            keys, present = [*queries, *keys], np.append(True, present)
        asking = present if len(queries) == len(keys) else np.ones(len(queries), bool)
        streams = np.stack(
            [
                _ask(op, i, q, keys, present) if asks else np.zeros(op_width(op))
                for i, (q, asks) in enumerate(zip(queries, asking, strict=True))
            ]
        )
        pooling = {"sum": np.sum, "mean": np.mean, "max": np.max}.get(op.readout)
        if pooling:
            streams = pooling(streams[present], axis=0)
        answers.append(streams[0] if len(queries) < len(inputs) else streams)
    return np.stack(answers)


def op_width(op):
    return op.output_dense.units if op.output_projection else op.num_heads * op.head_dim


def _ask(op, i, query, keys, present):
    """What one query receives."""
    query = query @ _own(op.query_kernels, i) + _bias(op, "query")
    values = [
        k @ _own(op.value_kernels, j) + _bias(op, "value") for j, k in enumerate(keys)
    ]
    keys = [k @ _own(op.key_kernels, j) for j, k in enumerate(keys)]
    heads = []
    for n in range(op.num_heads):
        part = slice(n * op.head_dim, (n + 1) * op.head_dim)
        logits = np.array([query[part] @ k[part] for k in keys])
        weights = softmax(np.where(present, logits / math.sqrt(op.head_dim), -np.inf))
        heads += [sum(w * v[part] for w, v in zip(weights, values, strict=True))]
    joined = np.concatenate(heads)
    return dense(op.output_dense, joined) if op.output_projection else joined


def _own(kernels, m):
    return float64(kernels[m if len(kernels) > 1 else 0])


def _bias(op, name):
    return float64(getattr(op, f"{name}_bias")) if op.use_bias else 0


def token_attention(queries, keys, values, num_heads):
    """Attention between the tokens of one sample, all of them present.

    Returns:
        What the queries receive, heads side by side `(Q, U)`, zeros without a key, and
        the weights `(N, Q, K)`.
    """
    if not len(keys):
        return np.zeros_like(queries), np.zeros((num_heads, len(queries), 0))
    heads, weights = [], []
    split = (np.split(x, num_heads, axis=-1) for x in (queries, keys, values))
    for q, k, v in zip(*split, strict=True):
        weights.append(softmax(q @ k.T / math.sqrt(q.shape[-1])))
        heads.append(weights[-1] @ v)
    return np.concatenate(heads, axis=-1), np.stack(weights)


def normed_heads(layer, x):
    """What a `NormedHeads` computes, its parts `(T, U)` each."""
    projected = dense(layer.projection, layer_norm(layer.norm, x))
    return np.split(projected, layer.parts, axis=-1)


def residual_halves(layer, x, attended):
    """What a `ResidualHalves` with GELU computes."""
    x = x + dense(layer.output_dense, attended)
    return x + mlp(layer.mlp, layer_norm(layer.norm, x))


def mlp(layers, x):
    return dense(layers[1], gelu(dense(layers[0], x)))
