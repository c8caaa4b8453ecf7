"""What cross-diffusion is measured beside: the released form, attention, its floor."""

import numpy as np

EPSILON = 0.6
HEADS, WIDTH = 4, 32  # C = 128


def draw(tokens: int) -> list[np.ndarray]:
    """Queries, keys and values of two modalities, each `(1, N, T, h)`."""
    rng = np.random.default_rng(0)
    return [rng.normal(size=(1, HEADS, tokens, WIDTH)) for _ in range(6)]


def ours(implementation: str):
    """`cross_diffusion` of six tensors, as a flat list."""
    from keras_fusion.ops import cross_diffusion

    def call(q_r, q_d, k_r, k_d, v_r, v_d):
        attended, messages = cross_diffusion(
            [q_r, q_d],
            [k_r, k_d],
            [v_r, v_d],
            epsilon=EPSILON,
            implementation=implementation,
        )
        return [*attended, messages[0][1], messages[1][0]]

    return call


def exact(q_r, q_d, k_r, k_d, v_r, v_d):
    """What `ours` should give, from the definition, in torch."""
    import torch

    values = v_r, v_d
    p_r, p_d = p = [
        torch.softmax(q @ k.mT * WIDTH**-0.5, dim=-1)
        for q, k in ((q_r, k_r), (q_d, k_d))
    ]
    mean = (p_r + p_d) / 2
    messages = [
        EPSILON * (p[i] @ (p[j].mT @ values[j])) + (1 - EPSILON) * (mean @ values[j])
        for i, j in ((0, 1), (1, 0))
    ]
    return [p_r @ v_r, p_d @ v_d, *messages]


def attention(q_r, q_d, k_r, k_d, v_r, v_d):
    """Self-attention of both and cross-attention both ways, by torch's fused call."""
    import torch

    attend = torch.nn.functional.scaled_dot_product_attention
    return [
        attend(q_r, k_r, v_r),
        attend(q_d, k_d, v_d),
        attend(q_r, k_d, v_d),
        attend(q_d, k_r, v_r),
    ]


def released(q_r, q_d, k_r, k_d, v_r, v_d):
    """The released code's equations as they are computed there, in plain torch.

    Degrees become diagonal matrices, `D^(-1/2) P^T D^(-1/2)` and the product with the
    identity `X^(0)` are dense: 8 N^3 multiply-adds a head.
    """
    import torch

    p_r, p_d = (
        torch.softmax(q @ k.mT * WIDTH**-0.5, dim=-1)
        for q, k in ((q_r, k_r), (q_d, k_d))
    )
    s_r, s_d = _normalized(p_r), _normalized(p_d)
    x = torch.eye(p_r.shape[-1], dtype=p_r.dtype, device=p_r.device).expand_as(p_r)
    plain = (1 - EPSILON) * (p_r + p_d)
    a_rd = EPSILON * (s_r @ x @ s_d.mT) + plain
    a_dr = EPSILON * (s_d @ x @ s_r.mT) + plain
    return [p_r @ v_r, p_d @ v_d, a_rd @ v_d, a_dr @ v_r]


def _normalized(p):
    import torch

    root = torch.diag_embed(p.sum(dim=-1) ** -0.5)
    return root @ p.mT @ root


def floor(tokens: int, kind: str, blockwise: bool, tensor, function):
    """Nothing but the matrix products and exponentials that our form does.

    Each block's are done on operands that stay the same, so that they are in the cache.

    Args:
        tokens: T.
        kind: `"forward"` or `"step"`.
        blockwise: Whether P is computed again for every pass over it.
        tensor: Function of a shape to a tensor.
        function: Compiles a function of tensors, as `compiled.function` does.
    """
    from keras import ops

    from keras_fusion.ops.diffusion.blocks import rows_at_once

    rows = rows_at_once(2, tokens) if blockwise else tokens
    batch = (2, 1) if blockwise else (2, HEADS)
    sizes = {  # rows, inner, columns
        "q k^T": (rows, WIDTH, tokens),
        "P x": (rows, tokens, WIDTH),
        "P^T x": (tokens, rows, WIDTH),
        "wide": (rows, 2 * WIDTH, tokens),  # the gradient of P by both its products
    }
    counts = _counts(kind, blockwise)
    exps = counts.pop("exp")
    pairs = []
    for name, count in counts.items():
        m, inner, n = sizes[name]
        more = [(tensor((*batch, m, inner)), tensor((*batch, inner, n)))] * count
        pairs += [(a + i, b) for i, (a, b) in enumerate(more)]  # or XLA does it once
    logits = [tensor((*batch, rows, tokens)) + i for i in range(exps)]

    def work(pairs, logits):
        return [a @ b for a, b in pairs], [ops.exp(x) for x in logits]

    run = function(work, pairs, logits)
    blocks = -(-tokens // rows) * (HEADS if blockwise else 1)

    def all_blocks():
        for _ in range(blocks):
            run()

    return all_blocks


def _counts(kind, blockwise):
    if blockwise:
        forward = {"q k^T": 2, "P x": 2, "P^T x": 1, "exp": 2}
        backward = {"q k^T": 3, "wide": 1, "P x": 3, "P^T x": 4, "exp": 2}
    else:
        forward = {"q k^T": 1, "P x": 2, "P^T x": 1, "exp": 1}
        backward = {"q k^T": 3, "P x": 2, "P^T x": 3}
    if kind == "forward":
        return forward
    return {n: forward.get(n, 0) + backward.get(n, 0) for n in {**forward, **backward}}
