"""The diffusion of affinities, applied to values without ever being formed.

Stacked over the modalities everything here is `(M, B, N, T, ...)`, and the affinities
are known only by what their products with something are.
"""

from keras import ops


def diffuse(products, values, epsilon, steps, initial, form, degree=None):
    """Attended values and the messages of every ordered pair, by Horner's rule.

    The diffusion is `X^(t+1) = e L X^(t) R + (1-e) A`. With `U_0 = V, U_(t+1) = R U_t`
    the product `X^(steps) V` is `Y_0` of `Y_t = e L Y_(t+1) + (1-e) A U_t`, which
    begins at `Y_steps = X^(0) U_steps`. For the message from j to i the paper has
    `L = P_i, R = P_j^T, A = (P_i + P_j) / 2`, the released code `L = P_i^T, R = P_j,
    A = P_i + P_j`.

    Args:
        products: Function `(x, y)` that returns `(P x, P^T y)`; either may be None.
        values: Tensor `(M, B, N, T, h)`.
        epsilon: The weight e, in [0, 1).
        steps: Number of steps, at least one.
        initial: `X^(0)`: `"identity"`, `"affinity"` (A) or a tensor `(B, N, T, T)`.
        form: `"paper"` or `"released"`.
        degree: `D^(-1/2)` as a tensor `(M, B, N, T, 1)`, where L and R hold
            `D^(-1/2) P D^(-1/2)` in place of P, or None.

    Returns:
        `(attended, messages)`: `P V` as `(M, B, N, T, h)` and `X V` as
        `(M, B, N, T, (M-1) h)`, for stream i its sources j != i side by side; with
        M = 1 there are no messages but None.
    """
    if values.shape[0] == 1:
        return products(values, None)[0], None
    way = _paper if form == "paper" else _released
    attended, messages = way(products, values, epsilon, steps, initial, degree)
    return attended, messages


def _paper(products, values, epsilon, steps, initial, degree):
    share = (1 - epsilon) / 2
    powers, own = [values], []  # U_t, and P_j U_t
    for _ in range(steps):
        product, power = products(powers[-1], _scale(powers[-1], degree))
        own.append(product)
        powers.append(_scale(power, degree))
    last = powers.pop()
    messages = _begin(products, last, initial, 0.5)
    for power, product in zip(reversed(powers), reversed(own)):
        theirs = sources(power)
        if degree is None:  # L and A share one product
            message = products(epsilon * messages + share * theirs, None)[0]
        else:
            both = ops.concatenate([_scale(messages, degree), theirs], axis=-1)
            diffused, mixed = ops.split(products(both, None)[0], 2, axis=-1)
            message = epsilon * _scale(diffused, degree) + share * mixed
        messages = message + share * sources(product)
    return own[0], messages


def _released(products, values, epsilon, steps, initial, degree):
    powers, mixed = [values], []  # U_t, and A U_t
    attended = None
    for _ in range(steps):
        own, theirs = _both_products(products, powers[-1])
        attended = own if attended is None else attended
        mixed.append(theirs + sources(own))
        if degree is not None:
            own = products(_scale(powers[-1], degree), None)[0]
        powers.append(_scale(own, degree))
    messages = _begin(products, powers[-1], initial, 1.0)
    for term in reversed(mixed):
        diffused = _scale(products(None, _scale(messages, degree))[1], degree)
        messages = epsilon * diffused + (1 - epsilon) * term
    return attended, messages


def _begin(products, power, initial, weight):
    """`X^(0) U_steps` for every pair."""
    if isinstance(initial, str) and initial == "identity":
        return sources(power)
    if isinstance(initial, str):
        own, theirs = _both_products(products, power)
        return weight * (theirs + sources(own))
    return ops.matmul(ops.cast(initial, power.dtype), sources(power))


def _both_products(products, x):
    """`P_j x_j` as `(M, ..., h)` and `P_i x_j` as `(M, ..., (M-1) h)`, by one pass."""
    width = x.shape[-1]
    mixed = products(ops.concatenate([x, sources(x)], axis=-1), None)[0]
    return mixed[..., :width], mixed[..., width:]


def sources(x):
    """For every stream what all the others have, side by side on the last axis."""
    if x.shape[0] == 2:  # the one call where small sizes take a dozen
        return ops.flip(x, axis=0)
    parts = ops.unstack(x, x.shape[0], axis=0)
    others = [parts[:i] + parts[i + 1 :] for i in range(len(parts))]
    return ops.stack([ops.concatenate(o, axis=-1) for o in others])


def _scale(x, degree):
    return x if degree is None else degree * x
