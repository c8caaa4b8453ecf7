"""float32 that stays float32 in somebody else's mixed precision."""

import contextlib
import functools
import sys

import keras


def without_autocast(function):
    """`function` in the dtypes of its tensors, whatever torch's autocast says.

    Autocast multiplies float32 tensors in half precision, which sums over all tokens
    do not stand, and which Keras has no switch for.
    """

    @functools.wraps(function)
    def call(*arguments, **others):
        with contextlib.ExitStack() as stack:
            for scope in _scopes():
                stack.enter_context(scope)
            return function(*arguments, **others)

    return call


def _scopes():
    if keras.backend.backend() != "torch":
        return []
    torch = sys.modules["torch"]
    on = [device for device in ("cpu", "cuda") if torch.is_autocast_enabled(device)]
    return [torch.autocast(device, enabled=False) for device in on]
