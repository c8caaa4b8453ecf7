"""Cross-attention behind gates, against flamingo-pytorch.

The normalization of the pictures is the last layer of Flamingo's resampler, and here
the first of the operator.
"""

import numpy as np

from keras_fusion.layers import GatedCrossAttention
from tests.recorded.recording import affine, assert_recorded, assign_affine, read

DATA = read("flamingo_pytorch")
TEXT = DATA["text"].astype("float32")
PICTURES = DATA["pictures"].reshape(3, 6, 8).astype("float32")


def place_norm(layer, weights, name):
    layer.gamma.assign(weights[f"{name}.weight"])
    layer.beta.assign(weights[f"{name}.bias"])


def gated_cross_attention():
    weights = read("flamingo_pytorch", "weights/")
    op = GatedCrossAttention(num_heads=2, readout=None)
    op.build([TEXT.shape, PICTURES.shape])
    asking, asked = op.heads
    (halves,) = op.halves
    place_norm(asking.norm, weights, "block.attn.norm")
    place_norm(asked.norm, weights, "norm")
    place_norm(halves.norm, weights, "block.ff.0")
    for layer, name in {
        asking.projection: "block.attn.to_q",
        asked.projection: "block.attn.to_kv",
        halves.output_dense: "block.attn.to_out",
        halves.mlp[0]: "block.ff.1",
        halves.mlp[1]: "block.ff.3",
    }.items():
        assign_affine(layer, affine(weights, name))
    halves.gates["attention"].assign(weights["block.attn_gate"][0])
    halves.gates["mlp"].assign(weights["block.ff_gate"][0])
    return op


def test_a_text_that_asks_every_picture():
    assert_recorded(gated_cross_attention()([TEXT, PICTURES])[0], DATA["every"])


def test_words_that_ask_the_last_picture_before_them():
    """Those before the first picture ask nothing."""
    picture = np.cumsum(DATA["begins"], axis=1)  # (B, 5), from 1
    pairs = picture[..., None] == np.repeat([1, 2], 3)  # (B, 5, 6)
    mask = np.ones((3, 11, 11), bool)
    mask[:, :5, 5:] = pairs
    streams = gated_cross_attention()([TEXT, PICTURES], attention_mask=mask)
    assert_recorded(streams[0], DATA["last"])
