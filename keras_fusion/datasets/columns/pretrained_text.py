"""Texts -> numbers of tokens by the tokenizer of a preset of KerasHub.

The state holds the tokenizer itself, its vocabulary included, so that the preset is
needed once. A row is what the network was trained on: the token that begins, those of
the text, the token that ends, then padding. A text without a token is padding alone.
"""

import base64
import functools
import json
import tempfile
from pathlib import Path

import numpy as np

from keras_fusion.common import kerashub
from keras_fusion.common.errors import InputError, first_line
from keras_fusion.datasets.columns.values import as_text, given
from keras_fusion.safety import allowed, archives

PREFIX = "keras_hub:"
_LONGEST = 256
_NUL = "\x00"  # at which the tokenizers' twins in TensorFlow end a text


def fit(values, tokenizer: str, length: int | None = None) -> dict:
    """The tokenizer of a preset, and the number of tokens of a row.

    Args:
        values: `(N,)`, what `as_text` takes.
        tokenizer: `"keras_hub:PRESET"`, as for `zoo.backbone`.
        length: Tokens of a row, those that begin and end it included; None is enough
            for 99 of 100 rows, 256 at most.

    Raises:
        ImportError: If KerasHub is not installed.
        ValueError: If there is no such preset, it has no tokenizer, or there is no
            token in any row.
        Unsafe: If it is a folder that may do more than compute.
    """
    if not tokenizer.startswith(PREFIX):
        raise ValueError(
            f'expected a tokenizer "{PREFIX}PRESET"; received {tokenizer!r}'
        )
    described = _described(tokenizer.removeprefix(PREFIX))
    counts = [len(row) for row in _rows(described, given(as_text(values))) if row]
    if not counts:
        raise ValueError("expected at least one token in the training rows")
    around = len(described["start"]) + len(described["end"])
    if length is not None and length <= around:
        raise ValueError(
            f"expected a length above {around}, which the tokens take that begin and "
            f"end a row; received {length}"
        )
    enough = around + int(np.ceil(np.quantile(counts, 0.99)))
    return {"tokenizer": described, "length": length or min(enough, _LONGEST)}


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, T)` int32 and `(N,)` bool, False where there is no token at all."""
    about, length = state["tokenizer"], state["length"]
    found = _rows(about, as_text(values).tolist())
    tokens = np.full((len(found), length), about["padding"], np.int32)
    room = length - len(about["start"]) - len(about["end"])
    for row, text in enumerate(found):
        if text:
            whole = [*about["start"], *text[:room], *about["end"]]
            tokens[row, : len(whole)] = whole
    return tokens, np.array([bool(text) for text in found], bool)


def graph(state: dict):
    """`encode` of a string tensor `(N,)`, in TensorFlow and TensorFlow Text."""
    import tensorflow as tf

    try:
        import tensorflow_text  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"A tokenizer of KerasHub in an export needs TensorFlow Text ({error}): "
            'pip install "keras-fusion[text]".'
        ) from error
    about, length = state["tokenizer"], state["length"]
    tokenizer = _tokenizer(json.dumps(about))
    room = length - len(about["start"]) - len(about["end"])

    @tf.function
    def run(strings):
        strings = tf.strings.unicode_transcode(strings, "UTF-8", "UTF-8")
        strings = tf.strings.strip(tf.strings.regex_replace(strings, r"\x00", " "))
        found = tf.cast(tokenizer(strings), "int32")
        there = found.row_lengths() > 0
        around = [tf.constant([about[key]], tf.int32) for key in ("start", "end")]
        start, end = (tf.repeat(x, tf.size(strings), axis=0) for x in around)
        whole = tf.concat([start, found[:, :room], end], axis=1)
        tokens = whole.to_tensor(about["padding"], shape=[None, length])
        return tf.where(there[:, None], tokens, about["padding"]), there

    run.resources = [tokenizer]
    return run


def words(state: dict) -> str:
    """What there is to say of the column."""
    about = state["tokenizer"]
    return f"{about['size']:,} tokens of {about['preset']}, up to {state['length']}"


def _described(preset):
    """The tokenizer of a preset as JSON knows it."""
    hub = kerashub.package()
    try:
        archives.check_preset(Path(preset))
        tokenizer = hub.models.Tokenizer.from_preset(preset)
    except allowed.Unsafe:
        raise
    except Exception as error:  # of names, of the network, of files
        raise InputError(
            f"KerasHub has no tokenizer {preset!r}: {first_line(error)}"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_assets(folder)
        assets = {
            file.name: base64.b64encode(file.read_bytes()).decode()
            for file in sorted(Path(folder).iterdir())
        }
    config = tokenizer.get_config()
    return {
        "preset": PREFIX + preset,
        "class_name": type(tokenizer).__name__,
        "config": {key: x for key, x in config.items() if key not in ("dtype", "name")},
        "assets": assets,
        "size": tokenizer.vocabulary_size(),
        "start": _one(tokenizer, "start_token_id"),
        "end": _one(tokenizer, "end_token_id"),
        "padding": getattr(tokenizer, "pad_token_id", None) or 0,
    }


def _one(tokenizer, name):
    """The number of a token in a list, which is empty where there is no such token."""
    number = getattr(tokenizer, name, None)
    return [] if number is None else [number]


@functools.lru_cache(maxsize=8)
def _tokenizer(described):
    """The tokenizer that `_described` described; `described` is its JSON."""
    about, hub = json.loads(described), kerashub.package()
    kind = getattr(hub.tokenizers, str(about["class_name"]), None)
    if not (isinstance(kind, type) and issubclass(kind, hub.tokenizers.Tokenizer)):
        raise InputError(f"KerasHub has no tokenizer {about['class_name']!r}.")
    tokenizer = kind.from_config(about["config"])
    with tempfile.TemporaryDirectory() as folder:
        for name in tokenizer.file_assets:
            data = base64.b64decode(about["assets"][name])
            Path(folder, name).write_bytes(data)
        tokenizer.load_assets(folder)
    tokenizer(["a"])  # it is built by that, as an export wants it
    return tokenizer


def _rows(about, texts):
    """The numbers of the tokens of each text, a list for each."""
    if not texts:
        return []
    texts = as_text([text.replace(_NUL, " ") for text in texts]).tolist()
    rows = _tokenizer(json.dumps(about))(texts)
    return [[int(number) for number in row] for row in rows]
