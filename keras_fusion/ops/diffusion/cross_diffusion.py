"""Cross-diffusion of aligned modalities: messages by the affinities of both sides."""

import keras
from keras import ops

from keras_fusion.ops.diffusion import blocks
from keras_fusion.ops.diffusion.arguments import (
    IMPLEMENTATIONS,
    check_choice,
    check_diffusion,
    check_initial,
    check_modalities,
    check_sizes,
)
from keras_fusion.ops.diffusion.blockwise import blockwise_products
from keras_fusion.ops.diffusion.dense_products import (
    affinities,
    dense_products,
    replace_absent,
)
from keras_fusion.ops.diffusion.diffusion import diffuse
from keras_fusion.ops.diffusion.fused_attention import is_fused
from keras_fusion.ops.diffusion.fused_products import fused_products
from keras_fusion.ops.diffusion.precision import without_autocast
from keras_fusion.ops.presence import select


@without_autocast
def cross_diffusion(
    queries,
    keys,
    values,
    *,
    epsilon: float = 0.6,
    steps: int = 1,
    initial="identity",
    form: str = "paper",
    modality_mask=None,
    mask=None,
    implementation: str = "auto",
):
    """Self-attention in every modality and the messages of every ordered pair.

    `P_m = softmax(q_m k_m^T / sqrt(h))`, and `X_ij` from `X^(t+1) = e P_i X^(t) P_j^T +
    (1-e) (P_i + P_j) / 2`. The message from modality j to stream i is `X_ij v_j`,
    computed from right to left, so that no two affinities are ever multiplied.

    The released code of the paper has another form: `X_ij = e P_i^T P_j + (1-e) (P_i +
    P_j)`, here with more than one step as well.

    Args:
        queries: list of M tensors `(B, N, T, h)`, T the same for all.
        keys: list of M tensors `(B, N, T, h)`.
        values: list of M tensors `(B, N, T, h)`.
        epsilon: The weight e of the diffusion, in [0, 1).
        steps: Number of steps, at least one. It converges to a fixed point.
        initial: `X^(0)`: `"identity"`, `"affinity"` for `(P_i + P_j) / 2`, or a tensor
            `(B, N, T, T)`, the same for every pair, which takes the dense form.
        form: `"paper"`, or `"released"` for two modalities.
        modality_mask: `(B, M)` bool, True = present, or None. An absent modality has no
            values, and for its affinity stands the mean of those that are present.
        mask: list of M tensors `(B, T)` bool or None, True = keep, or None. Padded
            tokens are neither queries nor keys: their rows and columns are zero.
        implementation: `"dense"` holds affinities `(B, N, T, T)`; `"blockwise"` never
            does, and takes memory linear in T, in training too; `"fused"` neither,
            by the backend's fused attention, which JAX has in bfloat16 on a GPU
            alone and TensorFlow has not; `"auto"` chooses by size, on a GPU also by
            how many samples there are. The blockwise and the fused form have first
            derivatives only. `benchmarks/README.md` has what each form is worth.

    Returns:
        `(attended, messages)`: list of M tensors `P_m v_m`, `(B, N, T, h)`, and a list
        of M lists, `messages[i][j]` the message from j to i, None where i == j. They
        have the dtype of the values and are computed in float32, but on a GPU
        affinities multiply bfloat16 values in bfloat16.

    Raises:
        ValueError: On arguments that do not fit.

    Reference: Wang, Wang, Wang, Zheng, Lai (2024), MutualFormer: Multi-Modality
    Representation Learning via Cross-Diffusion Attention, IJCV.
    """
    if modality_mask is not None:
        modality_mask = ops.convert_to_tensor(modality_mask)
    _check(queries, keys, values, mask, modality_mask, initial, implementation)
    check_diffusion(epsilon, steps, form, len(values))
    kept = _kept(mask, values)
    if implementation == "auto":
        implementation = fastest(queries, keys, values, initial, kept is not None)
    dtype = _product_dtype(queries, keys, values)
    q, k, v = _stack(queries, keys, values, modality_mask, kept)
    products = _products(implementation, q, k, kept, modality_mask, dtype)
    results = diffuse(products, ops.cast(v, "float32"), epsilon, steps, initial, form)
    return unstack_results(*results, values[0].dtype)


def _products(implementation, q, k, kept, modality_mask, dtype):
    """The function `(x, y)` to `(P x, P^T y)`."""
    logits = dtype if implementation == "fused" else "float32"
    q, k = ops.cast(q, logits), ops.cast(k, logits)
    if implementation == "fused":
        return fused_products(q, k, kept, modality_mask)
    if implementation == "blockwise":
        return blockwise_products(q, k, kept, modality_mask)
    whole = replace_absent(affinities(q, k, kept), modality_mask)
    return dense_products(whole, dtype)


def _check(queries, keys, values, mask, modality_mask, initial, implementation):
    count, name = len(values), "cross_diffusion"
    check_modalities(name, queries=queries, keys=keys, values=values)
    check_choice("implementation", implementation, IMPLEMENTATIONS)
    check_initial(initial)
    if mask is not None and len(mask) != count:
        raise ValueError(
            f"{name} expects one mask (or None) for each of {count} modalities; "
            f"got {len(mask)}."
        )
    if implementation in ("blockwise", "fused") and not isinstance(initial, str):
        raise ValueError(
            f"{name} takes a given `initial` in the dense form alone: the "
            f"{implementation} form is there to hold nothing of the size (T, T)."
        )
    if implementation == "fused" and keras.backend.backend() == "tensorflow":
        raise ValueError(
            f"{name} has the fused form on JAX and PyTorch; this is TensorFlow."
        )
    check_sizes(
        name,
        count,
        queries=("BNTh", queries),
        keys=("BNTh", keys),
        values=("BNTh", values),
        mask=("BT", mask),
        modality_mask=("BM", modality_mask),
        initial=("BNTT", None if isinstance(initial, str) else initial),
    )


def fastest(queries, keys, values, initial="identity", masked=False):
    """What `implementation="auto"` takes.

    Where nothing is computed, since there is nothing or torch looks for shapes alone,
    that is the dense form, which has no loop.
    """
    nothing = 0 in values[0].shape or "meta" in str(getattr(values[0], "device", ""))
    if nothing or not isinstance(initial, str):
        return "dense"
    width = keys[0].shape[-1] + masked  # one channel keeps padded keys out
    dtypes, shape = [x[0].dtype for x in (queries, keys, values)], values[0].shape
    fused = is_fused(dtypes, width, shape[2])
    if not is_large(blocks.dense_bytes(fused), len(values), *shape[:3]):
        return "dense"
    return "fused" if fused else "blockwise"


def is_large(most, count, batch, heads, tokens):
    """Whether the affinities take more bytes: of one sample, on a GPU of all.

    On a CPU blocks are faster from there on, on JAX and torch: the rest of the time
    goes into memory. A GPU has no such cache, but an end. A count of tokens that a
    graph leaves open may be any. JAX leaves none open; where it finds out shapes alone
    it has a symbol there, which does not compare, and nothing is computed.
    """
    if tokens is None:
        return True
    if not isinstance(tokens, int):
        return False
    samples = batch if blocks.on_gpu() and isinstance(batch, int) else 1
    return 4 * samples * count * heads * tokens**2 > most


def _product_dtype(*tensors):
    """A GPU's time goes into reading affinities; float16 has not the range of sums."""
    half = all("bfloat16" in str(x[0].dtype) for x in tensors)
    return "bfloat16" if half and blocks.on_gpu() else "float32"


def unstack_results(attended, messages, dtype):
    """Lists, as `cross_diffusion` returns them, from what `diffuse` returns."""
    # A gradient of each slice by itself would be as large as what it is a slice of.
    count = attended.shape[0]
    attended = list(ops.unstack(ops.cast(attended, dtype), count))
    if messages is None:
        return attended, [[None]]
    rows = []
    for i, x in enumerate(ops.unstack(ops.cast(messages, dtype), count)):
        row = ops.split(x, count - 1, axis=-1)
        rows.append([*row[:i], None, *row[i:]])
    return attended, rows


def _kept(mask, values):
    """`(M, B, 1, T)` bool of all masks, or None."""
    if mask is None or all(own is None for own in mask):
        return None
    return ops.stack(
        [
            ops.ones_like(v[:, :1, :, 0], dtype="bool")
            if own is None
            else ops.cast(own, "bool")[:, None]
            for v, own in zip(values, mask)
        ]
    )


def _stack(queries, keys, values, modality_mask, kept):
    """`(M, B, N, T, h)` of each, zeros for what is absent or padded."""
    count = len(values)
    stacked = ops.stack([*queries, *keys, *values])  # by one call, which has its price
    parts = [stacked[first : first + count] for first in range(0, 3 * count, count)]
    if kept is not None:
        parts = [select(x, kept[..., None]) for x in parts]
    if modality_mask is not None:
        there = ops.transpose(ops.cast(modality_mask, "bool"))[..., None, None, None]
        parts = [select(x, there) for x in parts]
    return parts
