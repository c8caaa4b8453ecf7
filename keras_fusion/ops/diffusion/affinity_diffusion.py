"""Cross-diffusion by affinities that are given: exponentials, cosines, a graph's."""

from keras import ops

from keras_fusion.ops.diffusion.arguments import (
    check_diffusion,
    check_initial,
    check_modalities,
    check_sizes,
)
from keras_fusion.ops.diffusion.cross_diffusion import unstack_results
from keras_fusion.ops.diffusion.dense_products import dense_products
from keras_fusion.ops.diffusion.diffusion import diffuse
from keras_fusion.ops.diffusion.precision import without_autocast
from keras_fusion.ops.presence import select


@without_autocast
def affinity_diffusion(
    affinities,
    values,
    *,
    epsilon: float = 0.6,
    steps: int = 1,
    initial="identity",
    form: str = "paper",
    normalize: bool = False,
):
    """`cross_diffusion` with affinities in place of queries and keys.

    Args:
        affinities: list of M tensors `(B, N, T, T)`, not negative.
        values: list of M tensors `(B, N, T, h)`.
        epsilon: The weight e of the diffusion, in [0, 1).
        steps: Number of steps, at least one.
        initial: `X^(0)`: `"identity"`, `"affinity"`, or a tensor `(B, N, T, T)`, the
            same for every pair.
        form: `"paper"`, or `"released"` for two modalities.
        normalize: Whether the factors of the product are `D^(-1/2) S D^(-1/2)` with D
            the row sums, as the paper has it, while A stays the plain mean of the S.
            The rows of a softmax sum to one, which makes no difference then. Without
            it affinities whose rows sum to more than one may diverge.

    Returns:
        `(attended, messages)` as `cross_diffusion` does, in the dtype of the values.

    Raises:
        ValueError: On arguments that do not fit.
    """
    count, name = len(values), "affinity_diffusion"
    check_modalities(name, affinities=affinities, values=values)
    check_diffusion(epsilon, steps, form, count)
    check_initial(initial)
    check_sizes(
        name,
        count,
        affinities=("BNTT", affinities),
        values=("BNTh", values),
        initial=("BNTT", None if isinstance(initial, str) else initial),
    )
    s = ops.stack([ops.cast(x, "float32") for x in affinities])
    v = ops.stack([ops.cast(x, "float32") for x in values])
    degree = _inverse_root(ops.sum(s, axis=-1, keepdims=True)) if normalize else None
    results = diffuse(dense_products(s), v, epsilon, steps, initial, form, degree)
    return unstack_results(*results, values[0].dtype)


def _inverse_root(x):
    """`x^(-1/2)`, zero where x is."""
    return select(ops.rsqrt(select(x, x > 0, 1)), x > 0)
