"""Texts -> numbers of words, or of characters where words do not stand apart.

0 is padding and 1 a word that training did not see. A character that is no letter,
digit or mark ends a word; letters are in lower case, each for itself. Or the tokens are
those of a preset of KerasHub, see `pretrained_text`.
"""

import unicodedata
from collections import Counter

import numpy as np

from keras_fusion.datasets.columns import pretrained_text
from keras_fusion.datasets.columns.lookup import lookup
from keras_fusion.datasets.columns.values import as_text, given

RAW = "string"
UNSEEN, FIRST = 1, 2
_MOST_WORDS = 20_000
_LONGEST = 256
_TABLE = 0x20000  # code points from here on, rare ideographs, stand as they are
_SPACE = 32


def infer(values) -> bool:
    """Whether the values are mostly several words, and mostly differ."""
    texts = given(as_text(values))
    distinct = set(texts)
    if len(distinct) <= max(20, len(texts) / 10):
        return False
    counts = [len(_folded(text).split()) for text in distinct]
    letters = np.mean([len(text) for text in distinct])
    # Scripts without spaces have sentences of one word.
    return float(np.mean(counts)) >= 1.5 or letters >= 30


def fit(
    values,
    *,
    level: str | None = None,
    length: int | None = None,
    limit: int | None = None,
    tokenizer: str | None = None,
) -> dict:
    """The vocabulary of the training rows and the number of tokens of a row.

    Args:
        values: `(N,)`, what `as_text` takes.
        level: `"words"` or `"characters"`; None takes words, but characters where
            more than a quarter of the words in the rows are there once only.
        length: Tokens of a row; None is enough for 99 of 100 rows, 256 at most.
        limit: Tokens of the vocabulary at most; None is 20,000.
        tokenizer: `"keras_hub:PRESET"`, whose tokenizer takes the place of all that;
            see `pretrained_text.fit`.

    Raises:
        ValueError: If there is no such level, or no word in any row.
    """
    if tokenizer is not None:
        if level is not None or limit is not None:
            raise ValueError("expected a tokenizer alone, or level and limit")
        return pretrained_text.fit(values, tokenizer, length)
    texts = [_folded(text) for text in given(as_text(values))]
    if level not in (None, *_SPLITS):
        raise ValueError(
            f"expected level to be one of {[*_SPLITS]}; received {level!r}"
        )
    level = level or _better_level(texts)
    rows = [tokens for tokens in map(_SPLITS[level], texts) if tokens]
    if not rows:
        raise ValueError("expected at least one word in the training rows")
    counts = Counter(token for tokens in rows for token in tokens)
    # Words that are there once are known, too: as one token they would be the most
    # frequent word of a small table, and say nothing.
    known = sorted(counts, key=lambda token: (-counts[token], token))[
        : limit or _MOST_WORDS
    ]
    enough = int(np.ceil(np.quantile([len(tokens) for tokens in rows], 0.99)))
    return {"level": level, "tokens": known, "length": length or min(enough, _LONGEST)}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, T)` int32 and `(N,)` bool, False where there is no word at all."""
    if is_pretrained(state):
        return pretrained_text.encode(values, state)
    numbers = {token: FIRST + i for i, token in enumerate(state["tokens"])}
    split, length = _SPLITS[state["level"]], state["length"]
    texts = as_text(values)
    tokens = np.zeros((len(texts), length), np.int32)
    for row, text in enumerate(texts):
        found = [numbers.get(t, UNSEEN) for t in split(_folded(text))[:length]]
        tokens[row, : len(found)] = found
    return tokens, tokens[:, 0] > 0


def graph(state: dict):
    """`encode` of a string tensor `(N,)`, in TensorFlow."""
    import tensorflow as tf

    if is_pretrained(state):
        return pretrained_text.graph(state)
    known = range(FIRST, FIRST + len(state["tokens"]))
    numbers = lookup(state["tokens"], known, UNSEEN)
    table = np.array([_fold(point) for point in range(_TABLE)], np.int32)

    def run(strings):
        points = tf.strings.unicode_decode(strings, "UTF-8")
        flat = points.flat_values
        folded = tf.gather(table, tf.minimum(flat, _TABLE - 1))
        points = points.with_flat_values(tf.where(flat < _TABLE, folded, flat))
        texts = tf.strings.unicode_encode(points, "UTF-8")
        if state["level"] == "characters":
            texts = tf.strings.regex_replace(texts, " ", "")
            tokens = tf.strings.unicode_split(texts, "UTF-8")
        else:
            tokens = tf.strings.split(texts)
        found = tokens.with_flat_values(numbers(tokens.flat_values))
        found = found.to_tensor(shape=[None, state["length"]])
        return tf.cast(found, "int32"), found[:, 0] > 0

    run.resources = numbers.resources
    return run


def words(state: dict) -> str:
    """What there is to say of the column."""
    if is_pretrained(state):
        return pretrained_text.words(state)
    return f"{len(state['tokens']):,} {state['level']}, up to {state['length']} a row"


def vocabulary(state: dict) -> int:
    """How many numbers of tokens there are, padding and unseen included."""
    if is_pretrained(state):
        return state["tokenizer"]["size"]
    return FIRST + len(state["tokens"])


def padding(state: dict) -> int:
    """The number that fills up a row."""
    return state["tokenizer"]["padding"] if is_pretrained(state) else 0


def is_pretrained(state: dict) -> bool:
    """Whether the tokens are those of a preset, not of the training rows."""
    return "tokenizer" in state


def _better_level(texts):
    counts = Counter(word for text in texts for word in text.split())
    once = sum(1 for count in counts.values() if count == 1)
    return "characters" if once > sum(counts.values()) / 4 else "words"


def _fold(point):
    """The code point that stands for this one: lower case, or a space."""
    character = chr(point)
    if unicodedata.category(character)[0] not in "LNM":
        return _SPACE
    lower = character.lower()
    return ord(lower) if len(lower) == 1 else point


class _Folding(dict):
    def __missing__(self, point):
        self[point] = _fold(point) if point < _TABLE else point
        return self[point]


_FOLDING = _Folding()


def _folded(text):
    return text.translate(_FOLDING)


# A folded text has no other blanks than spaces.
_SPLITS = {
    "words": lambda text: text.split(),
    "characters": lambda text: list(text.replace(" ", "")),
}
