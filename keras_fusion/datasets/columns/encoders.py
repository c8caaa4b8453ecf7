"""The default encoder of a modality, as the lists that builders take."""

import math

from keras_fusion.datasets.columns.kinds import KINDS, SMALL

TRANSFORMER = "transformer"  # of words, in place of the usual encoder of a text


def describe(
    columns, takes: str, units: int, depth: int, dropout: float, text: str | None = None
) -> list[dict] | None:
    """Layers `{"class_name": ..., "config": {...}}`, in their order.

    None where the default encoder of the builder, chosen by rank, fits: for arrays.

    Args:
        columns: Those of one modality.
        takes: `"aligned"`: the encoder gives vectors `(B, units)`; `"tokens"`: a set
            `(B, T, units)`, of a table one token a column.
        units: Width.
        depth: Residual blocks.
        dropout: Rate in those, and of whole words.
        text: `"transformer"`, or None for the usual encoder of a text.

    Raises:
        ValueError: If that is asked of columns of another kind.
    """
    if text is not None and columns[0].kind != "text":
        raise ValueError(
            f"{text!r} encodes a text; {columns[0].name!r} is of the kind "
            f"{columns[0].kind}"
        )
    if columns[0].kind in SMALL:
        return _table(columns, takes, units, depth, dropout)
    (column,) = columns
    if text == TRANSFORMER:
        return _transformer(column, takes, units, depth, dropout)
    make = _OTHERS.get(column.kind)
    return make and make(column, takes, units, depth, dropout)


def _layer(name, **config):
    return {"class_name": name, "config": config}


def _table(columns, takes, units, depth, dropout):
    embeddings = [KINDS[c.kind].embedding(c.state) for c in columns]
    tokens = _layer("ColumnEmbedding", columns=embeddings, units=units)
    block = _layer("ResidualMLP", dropout=dropout)
    if takes == "tokens":
        return [tokens] + [block] * depth
    return [tokens, _layer("Flatten"), _layer("Dense", units=units)] + [block] * depth


def _text(column, takes, units, depth, dropout):
    """Order counts where tokens are fused; a vector is made of words in any order.

    So it generalizes from few rows: Iyyer et al., 2015, Deep Unordered Composition
    Rivals Syntactic Methods for Text Classification.
    """
    tokens = _words(column, units, dropout)
    if takes == "tokens":
        return tokens + [_layer("TokenConvolution", dropout=dropout)] * depth
    pooled = [_layer("TokenPooling"), _layer("Dense", units=units)]
    return tokens + pooled + [_layer("ResidualMLP", dropout=dropout)] * depth


def _transformer(column, takes, units, depth, dropout):
    """Words know their places and attend to each other, whatever is fused."""
    block = _layer("TokenAttention", num_heads=math.gcd(units, 4), dropout=dropout)
    places = _layer("PositionEmbedding")
    tokens = [*_words(column, units, dropout), places, *[block] * depth]
    pooled = [_layer("TokenPooling"), _layer("Dense", units=units)]
    return tokens if takes == "tokens" else tokens + pooled


def _words(column, units, dropout):
    if KINDS["text"].padding(column.state):
        preset = column.state["tokenizer"]["preset"]
        raise ValueError(
            f"{column.name!r} has the tokens of {preset}, whose padding is no 0: give "
            "it the network of that preset as encoder"
        )
    words = KINDS["text"].vocabulary(column.state)
    return [
        _layer("Embedding", input_dim=words, output_dim=units, **_EMBEDDING),
        _layer("Dropout", rate=dropout, noise_shape=[None, None, 1]),
    ]


def _image(column, takes, units, depth, dropout):
    height, width = column.state["size"]
    # Each stage halves both sides; the last map has about 6 x 6 places.
    stages = max(1, round(math.log2(max(min(height, width) / 6, 2))))
    maps = [_layer("Rescaling", scale=1 / 127.5, offset=-1.0)]
    for stage in range(stages):
        width = max(units // 2 ** (stages - 1 - stage), 16)
        maps += [
            _layer("Conv2D", filters=width, strides=2, **_CONVOLUTION),
            _layer("LayerNormalization", epsilon=1e-5),
        ]
    return maps + [_layer("ResidualMLP", dropout=dropout)] * depth


def _audio(column, takes, units, depth, dropout):
    tokens = []
    for _ in range(2):
        tokens += [
            _layer("Conv1D", filters=units, strides=2, **_CONVOLUTION),
            _layer("LayerNormalization", epsilon=1e-5),
        ]
    tokens += [_layer("TokenConvolution", dropout=dropout)] * depth
    return tokens if takes == "tokens" else [*tokens, _layer("TokenPooling")]


# What is small in the beginning stays small for a word that training hardly sees.
_EMBEDDING = {
    "mask_zero": True,
    "embeddings_initializer": {
        "class_name": "RandomUniform",
        "config": {"minval": -0.02, "maxval": 0.02},
    },
}
_CONVOLUTION = {
    "kernel_size": 3,
    "padding": "same",
    "activation": "gelu",
    "data_format": "channels_last",
}
_OTHERS = {"text": _text, "image": _image, "audio": _audio}
