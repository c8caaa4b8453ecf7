"""The number format that a run computes in."""

import contextlib
from collections.abc import Iterator

import keras

from keras_fusion.common.errors import InputError

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@contextlib.contextmanager
def policy(precision: str) -> Iterator[None]:
    """Makes layers of this Keras dtype policy until the block ends.

    Raises:
        ValueError: If the policy is none of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise InputError(
            f"precision must be one of {', '.join(PRECISIONS)}; received {precision!r}."
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
