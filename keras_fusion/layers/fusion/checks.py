"""Whether shapes and arguments fit an operator: one clear ValueError where not."""

from keras_fusion.layers.arguments import require_mask
from keras_fusion.layers.shapes import merge


def check_shapes(op, shapes):
    """Raises a ValueError unless `op` can fuse inputs of these shapes."""
    if not isinstance(shapes, (list, tuple)) or not all(
        isinstance(s, (list, tuple)) for s in shapes
    ):
        raise ValueError(
            f"{op.name} fuses a list of tensors, one per modality; received one "
            f"tensor of shape {shapes}. If its axis 1 holds the modalities, pass "
            "keras.ops.unstack(x, axis=1)."
        )
    shapes = [tuple(s) for s in shapes]
    _check_count(op, len(shapes))
    if any(len(s) < 2 or s[-1] is None for s in shapes):
        raise ValueError(
            f"{op.name} expects inputs (B, ..., D) with a known width D; "
            f"received shapes {shapes}."
        )
    if op.takes == "tokens":
        _check_tokens(op, shapes)
    elif merge(s[:-1] for s in shapes) is None:
        raise ValueError(
            f"{op.name} fuses aligned inputs: all axes but the last must agree; "
            f"received shapes {shapes}."
        )


def check_call(op, inputs, query, modality_mask, mask, return_weights):
    """Raises a ValueError unless `op`, which is built, can be called like this."""
    if not isinstance(inputs, (list, tuple)):
        op.check(tuple(inputs.shape))  # raises: a tensor iterates over its batch
    shapes = [tuple(x.shape) for x in inputs]
    op.check(shapes)
    if len(inputs) != op.num_modalities:
        raise ValueError(
            f"{op.name} was built for {op.num_modalities} modalities; received "
            f"{len(inputs)}."
        )
    widths = [s[-1] for s in shapes]
    if widths != op.widths and op.weights:
        raise ValueError(
            f"{op.name} has weights for modalities of widths {op.widths}; received "
            f"widths {widths}."
        )
    if op.uses_query != (query is not None):
        wants = "needs a `query` tensor" if op.uses_query else "takes no `query`"
        raise ValueError(f"{op.name} {wants} with this configuration.")
    if query is not None and merge([query.shape[:-1], shapes[0][:-1]]) is None:
        raise ValueError(
            f"{op.name} expects a query aligned with the inputs {shapes[0]}; "
            f"received {tuple(query.shape)}."
        )
    if return_weights and not op.has_weights:
        raise ValueError(
            f"{type(op).__name__} has no weights to return. To attribute a model's "
            "output to modalities use keras_fusion.attribution.shapley_values."
        )
    if return_weights == "tokens" and not op.attends_to_tokens:
        raise ValueError(
            f"{type(op).__name__} has no weights from token to token: "
            "return_weights=True has those of the modalities."
        )
    if modality_mask is not None:
        _check_mask(op, "modality_mask", modality_mask, (shapes[0][0], len(inputs)))
    if mask is not None and not isinstance(mask, (list, tuple)):
        raise ValueError(
            f"{op.name} expects a list of masks, one per modality; received one tensor "
            f"of shape {tuple(mask.shape)}."
        )
    if mask is not None and len(mask) != len(inputs):
        raise ValueError(
            f"{op.name} expects one mask per modality; received {len(mask)} "
            f"for {len(inputs)} modalities."
        )
    for kept, shape in zip(mask or [], shapes):
        if kept is not None:
            rank = min(len(kept.shape), len(shape) - 1)
            _check_mask(op, "mask", kept, shape[:rank])


def check_attention_mask(op, inputs, mask):
    """Raises a ValueError unless `op` can heed such a mask of pairs of tokens."""
    if mask is None:
        return
    if not op.takes_attention_mask:
        raise ValueError(
            f"{type(op).__name__} takes no attention_mask: JointAttention, "
            "CrossAttention and GatedCrossAttention do."
        )
    counts = [x.shape[1] for x in inputs]
    total = None if None in counts else sum(counts)
    batch = inputs[0].shape[0] if mask.shape[0] != 1 else 1
    _check_mask(op, "attention_mask", mask, (batch, total, total))


def check_heads(op, width):
    """Raises a ValueError unless the heads of `op` divide its width."""
    if width % op.num_heads:
        raise ValueError(
            f"{op.name} cannot share the width {width} among "
            f"num_heads={op.num_heads}: choose a divisor."
        )


def _check_count(op, count):
    if not count:
        raise ValueError(f"{op.name} needs at least one modality; received none.")
    if count < op.min_modalities:
        raise ValueError(
            f"{op.name} needs at least {op.min_modalities} modalities; received "
            f"{count}."
        )
    if op.max_modalities and count > op.max_modalities:
        raise ValueError(
            f"{op.name} fuses at most {op.max_modalities} modalities; received {count}."
        )


def _check_tokens(op, shapes):
    if any(len(s) != 3 for s in shapes) or merge(s[:1] for s in shapes) is None:
        raise ValueError(
            f"{op.name} fuses sets of tokens (B, T, D) of one batch size; received "
            f"shapes {shapes}."
        )
    if op.aligned_tokens and merge(s[1:2] for s in shapes) is None:
        counts = [f"modality {m} has {s[1]}" for m, s in enumerate(shapes)]
        raise ValueError(
            f"{op.name} fuses token by token, so every modality needs as many: "
            f"{', '.join(counts)}."
        )


def _check_mask(op, name, mask, expected):
    require_mask(op, name, mask)
    if merge([expected, mask.shape]) is None:
        raise ValueError(
            f"{op.name} expects {name} of shape {expected}; received "
            f"{tuple(mask.shape)}."
        )
