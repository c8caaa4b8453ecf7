"""What an operator gets in place of the encoding of an absent modality."""

from keras_fusion.layers.learned_replacement import LearnedReplacement

REPLACEMENTS = ("zero", "learned")


def replaced(encoded: dict, mask, replacement: str):
    """The encodings as an operator takes them, and the mask that it heeds.

    Args:
        encoded: Each modality's encoding `(B, ..., U)` by name.
        mask: `(B, M)` of what is present, or None.
        replacement: `"zero"`: the operator leaves out what the mask says is absent;
            `"learned"`: a vector of weights stands in for it, and the operator sees all
            as present. The layer is there with and without a mask, so that the weights
            are the same.

    Raises:
        ValueError: If it is neither of them.
    """
    if replacement not in REPLACEMENTS:
        raise ValueError(
            f"replacement must be one of {REPLACEMENTS}; received {replacement!r}."
        )
    if replacement == "zero":
        return encoded, mask
    call = {} if mask is None else {"modality_mask": mask}
    streams = LearnedReplacement(name="replacement")(list(encoded.values()), **call)
    return dict(zip(encoded, streams)), None
