"""Every position with every other."""

from keras import ops

from keras_fusion.ops.diffusion.affinity import dot_product
from keras_fusion.ops.presence import select, softmax


def pairwise_all(
    queries, keys, values, affinity=dot_product, normalize="softmax", mask=None
):
    """`y_i = 1/C_i sum_j f(q_i, k_j) v_j` over all j.

    Args:
        queries: `(..., I, h)`.
        keys: `(..., J, h)`.
        values: `(..., J, u)`, what g_j made of position j.
        affinity: f, from `keras_fusion.ops.diffusion.affinity`.
        normalize: C: `"softmax"`, `"mean"` (over the positions present) or None.
        mask: bool that broadcasts to `(..., I, J)`, True = j is there, or None.

    Returns:
        `(..., I, u)` in the dtype of the values. Cost and memory grow with I J.
    """
    require_normalizer(normalize, "softmax", "mean", None)
    weights = affinity(queries, keys)  # (..., I, J)
    if normalize == "softmax":
        weights = softmax(weights, mask)
    elif normalize == "mean":
        there = select(ops.ones_like(weights), mask)
        count = ops.sum(there, axis=-1, keepdims=True)
        weights = select(weights, mask) / ops.maximum(count, 1)
    else:
        weights = select(weights, mask)
    return ops.matmul(ops.cast(weights, values.dtype), values)


def require_normalizer(normalize, *choices):
    """Raises a ValueError unless `normalize` is one of `choices`."""
    if normalize not in choices:
        raise ValueError(
            f"Expected normalize to be one of {list(choices)}; received {normalize!r}."
        )
