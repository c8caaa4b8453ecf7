"""The default encoder of a modality, as the lists that builders take."""

from keras_fusion.datasets.columns.kinds import KINDS, SMALL


def describe(columns, takes: str, units: int, depth: int) -> list[dict]:
    """Layers `{"class_name": ..., "config": {...}}`, in their order.

    Args:
        columns: Those of one modality.
        takes: `"aligned"`: the encoder gives vectors `(B, units)`; `"tokens"`: a set
            `(B, T, units)`, of a table one token a column.
        units: Width.
        depth: Residual blocks.
    """
    if columns[0].kind in SMALL:
        return _table(columns, takes, units, depth)
    (column,) = columns
    return _OTHERS[column.kind](column, takes, units, depth)


def _layer(name, **config):
    return {"class_name": name, "config": config}


def _table(columns, takes, units, depth):
    embeddings = [KINDS[c.kind].embedding(c.state) for c in columns]
    tokens = _layer("ColumnEmbedding", columns=embeddings, units=units)
    block = _layer("ResidualMLP")
    if takes == "tokens":
        return [tokens] + [block] * depth
    return [tokens, _layer("Flatten"), _layer("Dense", units=units)] + [block] * depth


def _text(column, takes, units, depth):
    words = KINDS["text"].vocabulary(column.state)
    tokens = [
        _layer("Embedding", input_dim=words, output_dim=units, mask_zero=True),
        *[_layer("TokenConvolution")] * depth,
    ]
    return tokens if takes == "tokens" else [*tokens, _layer("TokenPooling")]


_OTHERS = {"text": _text}
