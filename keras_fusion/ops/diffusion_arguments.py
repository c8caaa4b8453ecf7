"""What cross-diffusion refuses, one sentence each."""

import operator

FORMS = ("paper", "released")
INITIALS = ("identity", "affinity")
IMPLEMENTATIONS = ("auto", "dense", "blockwise")


def check(queries, keys, values, epsilon, steps, initial, form, masks, implementation):
    """Raises ValueError where the arguments of `cross_diffusion` do not fit."""
    count = len(values)
    if not count == len(queries) == len(keys) or count == 0:
        raise ValueError(
            "cross_diffusion expects queries, keys and values of the same modalities, "
            f"at least one; got {len(queries)}, {len(keys)} and {count}."
        )
    for name, tensors in (("queries", queries), ("keys", keys), ("values", values)):
        for m, x in enumerate(tensors):
            if len(x.shape) != 4:
                raise ValueError(
                    "cross_diffusion expects tensors (batch, heads, tokens, width); "
                    f"{name} of modality {m} have the shape {tuple(x.shape)}."
                )
            _agree(name, m, x.shape, tensors[0].shape)
    for name, tensors in (("keys", keys), ("values", values)):
        _agree(name, 0, tensors[0].shape, queries[0].shape)
    check_diffusion(epsilon, steps, form, count)
    check_choice("initial", initial, INITIALS)
    check_choice("implementation", implementation, IMPLEMENTATIONS)
    if masks is not None and len(masks) != count:
        raise ValueError(
            f"cross_diffusion expects one mask (or None) for each of {count} "
            f"modalities; got {len(masks)}."
        )


def check_diffusion(epsilon, steps, form, count):
    """Raises ValueError where the diffusion itself is not defined."""
    if not 0 <= epsilon < 1:
        raise ValueError(f"epsilon must be in [0, 1); got {epsilon}.")
    try:
        whole = operator.index(steps)
    except TypeError:
        whole = 0
    if whole < 1:
        raise ValueError(f"steps must be an integer of at least 1; got {steps!r}.")
    check_choice("form", form, FORMS)
    if form == "released" and count > 2:
        raise ValueError(
            f"The released form is for two modalities; got {count}. "
            "Use form='paper' for more."
        )


def check_choice(name, value, choices):
    """Raises ValueError unless `value` is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {value!r}.")


def _agree(name, modality, shape, first):
    """Tokens, heads and widths are those of the first; None is not known yet."""
    axes = ("batch entries", "heads", "tokens", "channels a head")
    for axis, size, expected in zip(axes, shape, first):
        if None not in (size, expected) and size != expected:
            raise ValueError(
                f"cross_diffusion is for aligned modalities: {name} of modality "
                f"{modality} have {size} {axis}, where modality 0 has {expected}."
            )
