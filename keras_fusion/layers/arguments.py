"""Checks of constructor arguments: one sentence that says what came."""

import math
from numbers import Real

import keras


def require_positive(layer, name, value, optional=False):
    """`value` as an int >= 1, or None where optional; raises a ValueError else."""
    if value is None and optional:
        return None
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or value % 1 or value < 1:
        raise ValueError(
            f"{type(layer).__name__} expects {name} to be a positive integer; "
            f"received {value!r}."
        )
    return int(value)


def require_levels(layer, classes):
    """`classes` as an int from 2; raises a ValueError else."""
    if require_positive(layer, "classes", classes) < 2:
        raise ValueError(
            f"{type(layer).__name__} expects classes to be 2 or more; received "
            f"{classes!r}."
        )
    return int(classes)


def require_choice(layer, name, value, choices):
    """`value` if it is one of `choices`; raises a ValueError that lists them else."""
    if value not in choices:
        raise ValueError(
            f"{type(layer).__name__} expects {name} to be one of {list(choices)}; "
            f"received {value!r}."
        )
    return value


def require_fraction(layer, name, value):
    """`value` if it is a number in [0, 1); raises a ValueError else."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 <= value < 1:
        raise ValueError(
            f"{type(layer).__name__} expects {name} to be in [0, 1); received "
            f"{value!r}."
        )
    return value


def require_amount(layer, name, value):
    """`value` if it is a finite number >= 0; raises a ValueError else."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0 <= value < math.inf:
        raise ValueError(
            f"{type(layer).__name__} expects {name} to be a number of 0 or more; "
            f"received {value!r}."
        )
    return value


def require_mask(layer, name, mask):
    """Raises a ValueError unless `mask` is bool or of whole numbers (0 and 1)."""
    if mask is not None and keras.backend.is_float_dtype(mask.dtype):
        dtype = keras.backend.standardize_dtype(mask.dtype)
        raise ValueError(
            f"{layer.name} expects {name} to be bool, True = present, or 0 and 1 as "
            f"integers; received {dtype}. Pass mask == 0 for a mask with 0 where to "
            "keep and -inf where not, as torch has it, or mask > 0.5 for one of 0.0 "
            "and 1.0."
        )
