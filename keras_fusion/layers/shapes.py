"""Static shapes: tuples of int or None (any)."""


def merge(shapes):
    """The one shape that all these agree with (None = any), or None."""
    shapes = [tuple(s) for s in shapes]
    if len({len(s) for s in shapes}) > 1:
        return None
    known = [set(axis) - {None} for axis in zip(*shapes)]
    if any(len(sizes) > 1 for sizes in known):
        return None
    return tuple(min(sizes, default=None) for sizes in known)
