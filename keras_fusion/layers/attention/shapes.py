"""Checks of what a layer is called with: one sentence that says what came."""

import keras

AXES = {0: "(B, C)", 1: "(B, T, C)", 2: "(B, H, W, C)", 3: "(B, T, H, W, C)"}


def require_positions(layer, shape, axes=(1, 2, 3), known=False):
    """Raises a ValueError unless `shape` has so many axes of positions, channels last.

    Args:
        known: Whether the positions must be known too.
    """
    shape = tuple(shape)
    if len(shape) - 2 not in axes or shape[-1] is None:
        raise ValueError(
            f"{layer.name} expects {' or '.join(AXES[n] for n in axes)} with a known "
            f"number of channels C; received shape {shape}."
        )
    if known and None in shape[1:]:
        raise ValueError(
            f"{layer.name} has weights for every position, so all axes but the batch "
            f"must be known; received shape {shape}."
        )


def require_built(layer, positions, shape):
    """Raises a ValueError unless the positions are those that weights were made for."""
    given = tuple(shape[1:-1])
    if any(p not in (None, own) for p, own in zip(given, positions, strict=True)):
        raise ValueError(
            f"{layer.name} has weights for {positions} positions, those of the first "
            f"input; received shape {tuple(shape)}."
        )


def require_window(layer, window, shape):
    """Raises a ValueError where a window is larger than the input along an axis."""
    positions = tuple(shape[1:-1])
    if any(p is not None and size > p for size, p in zip(window, positions)):
        raise ValueError(
            f"{layer.name} has a window of {window}, larger than the {positions} "
            "positions of its input: choose a smaller kernel_size."
        )


def window_of(layer, kernel_size, axes):
    """`kernel_size` along each axis of positions, a number or one for each axis."""
    sizes = (kernel_size,) * axes if isinstance(kernel_size, int) else kernel_size
    if len(sizes) != axes or any(type(s) is not int or s < 1 for s in sizes):
        raise ValueError(
            f"{layer.name} expects kernel_size to be a positive integer, or one for "
            f"each of the {axes} axes of its input; received {kernel_size!r}."
        )
    return tuple(sizes)


def require_nodes(layer, shape):
    """Raises a ValueError unless `shape` is that of node features (n, D)."""
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(
            f"{layer.name} expects node features (n, D) of a known width D; received "
            f"shape {tuple(shape)}."
        )


def require_edges(layer, edge_index, edge_weight=None):
    """Raises a ValueError unless the tensors are `(2, E)` integers and `(E,)`."""
    shape, dtype = tuple(edge_index.shape), edge_index.dtype
    pairs = len(shape) == 2 and shape[0] in (2, None)  # TensorFlow's fit forgets it
    if not pairs or not keras.backend.is_int_dtype(dtype):
        hint = ": transpose it" if len(shape) == 2 and shape[1] == 2 else ""
        raise ValueError(
            f"{layer.name} expects edge_index (2, E) of integers, rows source and "
            f"target; received {shape} of {keras.backend.standardize_dtype(dtype)}"
            f"{hint}."
        )
    if edge_weight is None:
        return
    weights = tuple(edge_weight.shape)
    if len(weights) != 1 or None not in (weights[0], shape[1]) and weights != shape[1:]:
        raise ValueError(
            f"{layer.name} expects edge_weight (E,), one for each of the {shape[1]} "
            f"edges; received shape {weights}."
        )
