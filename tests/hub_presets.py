"""Folders of presets of KerasHub: networks of random weights and small tokenizers."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest

WORDS = (
    "red",
    "hat",
    "the",
    "##s",
    "größe",
    "gro",
    "##ße",
    "漢",
    "!",
    "'",
    "##un",
    "s",
)
MERGES = ("r e", "re d", "h a", "ha t", "Ġ red", "Ġ t", "h e", "Ġt he")
SENTENCES = ["the red hat of the sun is a red hat", "größe the red 漢字 hats"] * 20
NETWORK = {
    "num_layers": 1,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 8,
    "max_sequence_length": 32,
}


def hub():
    """The package; the test is skipped where it is not installed."""
    return pytest.importorskip("keras_hub", reason="KerasHub is an extra")


def tokenizers() -> dict:
    """Word pieces, byte pairs (padding is 1, and 0 begins a text), sentence pieces."""
    known = hub().tokenizers
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pairs = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *map(chr, range(33, 127))]
    pairs += map(chr, (*range(161, 173), *range(174, 324)))  # as bytes are written
    pairs += [merge.replace(" ", "") for merge in MERGES]
    numbers = {token: i for i, token in enumerate(dict.fromkeys(pairs))}
    return {
        "bert": known.BertTokenizer([*special, *WORDS], lowercase=True),
        "roberta": known.RobertaTokenizer(numbers, list(MERGES)),
        "albert": known.AlbertTokenizer(_sentence_pieces()),
    }


def _sentence_pieces():
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=model,
        vocab_size=40,
        hard_vocab_limit=False,
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        pad_piece="<pad>",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        user_defined_symbols=["[MASK]"],
        minloglevel=2,
    )
    return model.getvalue()


def save(folder: Path) -> Path:
    """Writes `bert`, `roberta` and `albert` into the folder."""
    models = hub().models
    classes = {
        "bert": models.BertBackbone,
        "roberta": models.RobertaBackbone,
        "albert": models.AlbertBackbone,
    }
    rng = np.random.default_rng(0)
    for name, tokenizer in tokenizers().items():
        own = {"embedding_dim": 8} if name == "albert" else {}
        size = tokenizer.vocabulary_size()
        network = classes[name](vocabulary_size=size, **NETWORK, **own)
        for weight in network.weights:  # the usual ones give nearly the same for all
            weight.assign(rng.normal(size=weight.shape, scale=1.0))
        network.save_to_preset(str(folder / name))
        tokenizer.save_to_preset(str(folder / name))
    return folder


if __name__ == "__main__":
    save(Path(sys.argv[1]))
