"""What is absent is selected away, never multiplied away: 0 x NaN is NaN."""

import functools

import keras
from keras import ops


def select(x, mask, absent=0):
    """`x` where the mask is True, the number `absent` elsewhere; `x` without a mask.

    Args:
        x: Tensor of any shape and dtype.
        mask: Boolean tensor that broadcasts to `x`, True = present, or None (all).
        absent: Number that stands where nothing is present. Texts stay as they are:
            none of them reaches a number but by an encoder.
    """
    if mask is None or keras.backend.standardize_dtype(x.dtype) == "string":
        return x
    return ops.where(mask, x, ops.cast(absent, x.dtype))


def precise(x):
    """`x` in float32, or float64 where it is that: for sums and exponentials."""
    is_float64 = keras.backend.standardize_dtype(x.dtype) == "float64"
    return x if is_float64 else ops.cast(x, "float32")


def softmax(logits, mask=None, axis=-1):
    """Softmax over what is present, in float32 or float64; zeros where nothing is.

    Args:
        logits: Tensor of any floating dtype.
        mask: Boolean tensor that broadcasts to `logits`, True = present, or None (all).
        axis: Axis to normalize over.

    Returns:
        Tensor in the shape of `logits`, float64 where they are. Along `axis` it sums to
        one, or is zero where nothing is present.
    """
    logits = precise(logits)
    if logits.shape[axis] == 1:
        # Not plain ones: torch's DDP waits for a gradient of what made the logits.
        return select(1 + 0 * ops.clip(logits, -1, 1), mask)
    logits = select(logits, mask, -1e30)
    if len(logits.shape) > 5:  # more axes than TensorFlow's softmax takes on a CPU
        weights = ops.exp(logits - ops.logsumexp(logits, axis=axis, keepdims=True))
    elif keras.backend.backend() == "torch":
        weights = _torch_softmax(logits, axis)
    else:
        weights = ops.softmax(logits, axis=axis)
    return select(weights, mask)


def _torch_softmax(logits, axis):
    """Softmax that is up to ten times faster for few numbers, such as modalities.

    On a processor torch 2.13 takes the last axis number by number where it is shorter
    than 16, while it takes another axis by vectors.
    """
    if axis != -1 or (logits.shape[-1] or 16) >= 16:
        return ops.softmax(logits, axis=axis)
    return ops.moveaxis(ops.softmax(ops.moveaxis(logits, -1, 0), axis=0), 0, -1)


def share(weights, modality_mask=None):
    """Each modality's share in the absolute raw weights of an operator.

    Args:
        weights: `(B, ..., M)` raw weights, modalities on the last axis; averaged over
            all axes between (heads, channels, positions).
        modality_mask: `(B, M)` bool, True = present, or None (all present).

    Returns:
        `(B, M)` float32. Rows sum to one over what is present, or are zero where
        nothing is present or all weights are zero.
    """
    weights = ops.abs(ops.cast(weights, "float32"))
    between = tuple(range(1, len(weights.shape) - 1))
    weights = ops.mean(weights, axis=between) if between else weights  # (B, M)
    weights = select(weights, modality_mask)
    total = ops.sum(weights, axis=-1, keepdims=True)
    return select(weights / select(total, total > 0, 1), total > 0)


class Presence:
    """What is there of M modalities: one value, made where an operator is called.

    It holds a boolean tensor for each modality that broadcasts to it, or nothing at all
    where everything is present. Then each method costs nothing: `select` hands back
    what it got, and a tensor of what is there is None, which `select`, `softmax` and
    the attention functions take for "everything".

    Args:
        parts: list of M boolean tensors, or None (all present).

    Example:

    >>> there = keras.ops.convert_to_tensor([[True, False]])
    >>> present = Presence.of([keras.ops.ones((1, 3)), keras.ops.ones((1, 3))], there)
    >>> [float(keras.ops.sum(x)) for x in present.select([keras.ops.ones((1, 3))] * 2)]
    [3.0, 0.0]
    """

    def __init__(self, parts: list | None = None):
        self.parts = None if parts is None else list(parts)

    @classmethod
    def of(cls, inputs, modality_mask=None, mask=None):
        """Where each modality is present.

        Args:
            inputs: list of M tensors `(B, ..., D_m)`.
            modality_mask: `(B, M)`, True = present, or None.
            mask: list of M tensors `(B, T)` or None, True = keep, or None.

        Returns:
            A `Presence` whose parts are of one shape where the inputs are aligned.
        """
        masks = [None] * len(inputs) if mask is None else mask
        if modality_mask is None and all(m is None for m in masks):
            return cls()
        whole = [None] * len(inputs)
        if modality_mask is not None:
            whole = [modality_mask[:, m] for m in range(len(inputs))]
        parts = [_present(*own) for own in zip(inputs, whole, masks)]
        if all(m is None for m in masks):
            return cls(parts)  # (B, 1, ...)
        return cls(parts)._spread(inputs)  # (B, ..., 1)

    def __getitem__(self, m):
        """Where modality m is present, or None."""
        return None if self.parts is None else self.parts[m]

    @property
    def by_sample(self) -> bool:
        """Whether a modality is present or absent as a whole, in each sample."""
        return self.parts is None or set(self.parts[0].shape[1:]) <= {1}

    def select(self, inputs, absent=0):
        """list of M tensors, each with the number `absent` where it is not present."""
        return [select(x, self[m], absent) for m, x in enumerate(inputs)]

    def any(self):
        """Where at least one modality is present, or None."""
        return self.parts and functools.reduce(ops.logical_or, self.parts)

    def all(self):
        """Where every modality is present, or None."""
        return self.parts and functools.reduce(ops.logical_and, self.parts)

    def any_token(self):
        """Where a sample has any token of any modality, `(B, 1)`, or None."""
        return self.parts and Presence([ops.any(p, axis=1) for p in self.parts]).any()

    def count(self, inputs):
        """How many of the inputs are present, in their dtype, but at least one."""
        if self.parts is None:
            return len(inputs)
        return ops.maximum(sum(ops.cast(p, inputs[0].dtype) for p in self.parts), 1)

    def stack(self):
        """The parts, which are of one shape, on a new last axis M, or None."""
        return self.parts and ops.stack(self.parts, axis=-1)

    def columns(self, inputs):
        """`(B, ..., M)` for aligned inputs, every position spread out, or None."""
        return self.parts and ops.concatenate(self._spread(inputs).parts, axis=-1)

    def tokens(self, inputs):
        """`(B, sum T_m, 1)` for sets of tokens side by side, or None."""
        return self.parts and ops.concatenate(self._spread(inputs).parts, axis=1)

    def modality_mask(self):
        """`(B, M)`, where a sample has anything of each modality, or None."""
        if self.parts is None:
            return None
        axes = tuple(range(1, len(self.parts[0].shape)))
        return ops.stack([ops.any(p, axis=axes) for p in self.parts], axis=-1)

    def samples(self):
        """The `Presence` of whole sets: M of `(B, 1, 1)`, True with any token."""
        if self.parts is None:
            return self
        return Presence([ops.any(p, axis=1, keepdims=True) for p in self.parts])

    def pick(self, modalities):
        """The `Presence` of these modalities alone, in this order."""
        return Presence(self.parts and [self.parts[m] for m in modalities])

    def _spread(self, inputs):
        everywhere = [ops.ones_like(x[..., :1], dtype="bool") for x in inputs]
        return Presence([ops.logical_and(p, e) for p, e in zip(self.parts, everywhere)])


def _present(x, there, kept):
    parts = [_expand(ops.cast(p, "bool"), x) for p in (there, kept) if p is not None]
    if not parts:
        return ops.ones_like(x[..., :1], dtype="bool")
    return parts[0] if len(parts) == 1 else ops.logical_and(*parts)


def _expand(p, x):
    """`p` with axes of size one behind, up to the rank of `x`."""
    return p[(..., *[None] * (len(x.shape) - len(p.shape)))]


def weighted_sum(weights, inputs):
    """`sum_m w_m x_m` of tensors that broadcast, in the dtype of the inputs."""
    return sum(ops.cast(w, x.dtype) * x for w, x in zip(weights, inputs))
