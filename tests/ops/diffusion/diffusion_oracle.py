"""Cross-diffusion straight from its definition, slowly, in float64.

It forms every X, so it needs products of affinities with each other; works on complex
numbers too, for derivatives by a complex step.
"""

import numpy as np


def softmax_affinities(queries, keys, masks=None):
    """`(M, B, N, T, T)`; rows and columns of padded tokens are zero."""
    logits = np.einsum("mbnth,mbnsh->mbnts", queries, keys) / queries.shape[-1] ** 0.5
    p = np.exp(logits - logits.real.max(axis=-1, keepdims=True))
    if masks is not None:
        p = p * masks[:, :, None, None, :]
    total = p.sum(axis=-1, keepdims=True)
    p = p / np.where(total == 0, 1, total)
    return p if masks is None else p * masks[:, :, None, :, None]


def cross_diffusion(queries, keys, values, modality_mask=None, mask=None, **arguments):
    """`attended` (M, B, N, T, h) and `messages` {(i, j): (B, N, T, h)}.

    Arrays `(M, B, N, T, h)`, `modality_mask` (B, M), `mask` (M, B, T). What is
    absent or padded must be finite here.
    """
    p = softmax_affinities(queries, keys, mask)
    if mask is not None:
        values = values * mask[:, :, None, :, None]
    if modality_mask is not None:
        p, replaced = p.copy(), p
        for b, there in enumerate(modality_mask):
            mean = sum(replaced[m, b] for m in np.flatnonzero(there)) / max(
                there.sum(), 1
            )
            p[~there, b] = mean
        values = values * modality_mask.T[:, :, None, None, None]
    return diffuse(p, values, **arguments)


def diffuse(
    affinities,
    values,
    epsilon=0.6,
    steps=1,
    initial="identity",
    form="paper",
    normalize=False,
):
    """The same from affinities `(M, B, N, T, T)`."""
    messages = {
        (i, j): matrix(
            affinities[i], affinities[j], epsilon, steps, initial, form, normalize
        )
        @ values[j]
        for i in range(len(values))
        for j in range(len(values))
        if i != j
    }
    return affinities @ values, messages


def matrix(p_i, p_j, epsilon, steps, initial, form, normalize=False):
    """`X^(steps)` of the pair, `(B, N, T, T)`."""
    left, right, mixture = factors(p_i, p_j, form, normalize)
    given = {"identity": np.eye(p_i.shape[-1]), "affinity": mixture}
    x = given[initial] if isinstance(initial, str) else initial
    for _ in range(steps):
        x = epsilon * left @ x @ right + (1 - epsilon) * mixture
    return x


def factors(p_i, p_j, form, normalize=False):
    """L, R and A."""
    s_i, s_j = (normalized(p) if normalize else p for p in (p_i, p_j))
    if form == "paper":
        return s_i, s_j.swapaxes(-1, -2), (p_i + p_j) / 2
    return s_i.swapaxes(-1, -2), s_j, p_i + p_j


def normalized(s):
    """`D^(-1/2) S D^(-1/2)`."""
    root = s.sum(axis=-1) ** -0.5
    return root[..., None] * s * root[..., None, :]
