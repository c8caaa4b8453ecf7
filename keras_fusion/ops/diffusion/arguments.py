"""What cross-diffusion refuses, one sentence each."""

import numbers
import operator

FORMS = ("paper", "released")
INITIALS = ("identity", "affinity")
IMPLEMENTATIONS = ("auto", "dense", "blockwise", "fused")

_SIZES = {
    "B": "batch entries",
    "M": "modalities",
    "N": "heads",
    "T": "tokens",
    "h": "channels a head",
}


def check_modalities(function, **lists):
    """Raises ValueError unless all lists are of the same modalities.

    Args:
        function: Name of who asks.
        **lists: Lists of M tensors each.
    """
    counts = [len(tensors) for tensors in lists.values()]
    if len(set(counts)) > 1 or not counts[0]:
        raise ValueError(
            f"{function} expects {_and(lists)} of the same modalities, at least one; "
            f"got {_and(map(str, counts))}."
        )


def check_sizes(function, count, **tensors):
    """Raises ValueError where sizes differ that must be the same; None is not known.

    Args:
        function: Name of who asks.
        count: M.
        **tensors: By name, `(letters, x)`: a letter for each axis, as in `_SIZES`, and
            a tensor, or a list of M tensors, of which some may be None.
    """
    known = {"M": (count, "the lists have")}
    for name, (letters, given) in tensors.items():
        listed = isinstance(given, (list, tuple))
        for m, x in enumerate(given if listed else [given]):
            if x is None:
                continue
            who = f"{name}[{m}] has" if listed else f"{name} has"
            if len(x.shape) != len(letters):
                axes = ", ".join(_SIZES[letter] for letter in letters)
                raise ValueError(
                    f"{function} expects axes ({axes}); {who} the shape "
                    f"{tuple(x.shape)}."
                )
            for letter, size in zip(letters, x.shape):
                expected, first = known.setdefault(letter, (size, who))
                if expected is None:
                    known[letter] = size, who
                elif size is not None and size != expected:
                    raise ValueError(
                        f"{function} is for aligned modalities: {who} {size} "
                        f"{_SIZES[letter]}, where {first} {expected}."
                    )


def check_diffusion(epsilon, steps, form, count):
    """Raises ValueError where the diffusion itself is not defined."""
    if not isinstance(epsilon, numbers.Real) or not 0 <= epsilon < 1:
        raise ValueError(f"epsilon must be in [0, 1); got {epsilon!r}.")
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
    _check_choice(name, value, choices, ", ".join(choices))


def _check_choice(name, value, choices, listed):
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {listed}; got {value!r}.")


def check_initial(initial):
    """Raises ValueError unless `initial` is a name or a tensor."""
    if not hasattr(initial, "shape"):
        listed = ", ".join((*INITIALS, "or a tensor"))
        _check_choice("initial", initial, INITIALS, listed)


def _and(names):
    *first, last = names
    return f"{', '.join(first)} and {last}"
