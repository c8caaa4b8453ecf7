"""Look things up by exact name; say what there is where the name is wrong."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from keras_fusion.common.errors import InputError

T = TypeVar("T")


def find(kind: str, name: str, known: Mapping[str, T]) -> T:
    """`known[name]`.

    Args:
        kind: What is looked up, for the message ("operator").
        name: The exact name.
        known: What there is, by name.

    Raises:
        ValueError: If there is no such name; lists the names and the closest.
    """
    if isinstance(name, str) and name in known:
        return known[name]
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise InputError(f"No {kind} {name!r}.{hint} There are: {', '.join(known)}.")
