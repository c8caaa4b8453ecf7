"""Padding: how much there is changes nothing, whatever the encoder and operator."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import layers as own
from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import draw, randomize

layers = keras.layers


def padded(x, count):
    """`(B, T, ...)` with so many more zeros behind."""
    width = [(0, 0), (0, count)] + [(0, 0)] * (x.ndim - 2)
    return np.pad(x, width)


@pytest.mark.only_on("torch", reason="Keras hands on masks alike everywhere")
@pytest.mark.parametrize("name", sorted(own.operators()))
def test_more_padding_moves_no_output(name):
    """One text fills its length, another ends before it, a third is empty."""
    takes = own.get(name).takes
    shapes = {"text": (None, 3), "b": (None, 2) if takes == "tokens" else (2,)}
    fusion = {"class_name": name}
    model = randomize(zoo.FusionClassifier(shapes, 2, fusion=fusion, units=4, depth=2))
    x = draw({"text": (4, 3), "b": (4, 2) if takes == "tokens" else (2,)})
    x["text"][1, 2:] = 0
    x["text"][2] = 0
    more = {m: padded(v, 3) if v.ndim > 2 else v for m, v in x.items()}
    assert_close(model(more), model(x))


def backbone(segments=True):
    """A small network with the inputs and outputs of one of KerasHub's."""
    names = ["token_ids", "padding_mask", *(["segment_ids"] if segments else [])]
    inputs = {n: keras.Input((None,), dtype="int32", name=n) for n in names}
    x = layers.Embedding(300, 4)(inputs["token_ids"])
    if segments:
        x = x + layers.Embedding(2, 4)(inputs["segment_ids"])
    kept = ops.cast(inputs["padding_mask"], "bool")
    x = layers.MultiHeadAttention(1, 4)(x, x, attention_mask=kept[:, None])
    outputs = {"sequence_output": x, "pooled_output": layers.Dense(3)(x[:, 0])}
    return keras.Model(inputs, outputs, name="backbone")


@pytest.mark.parametrize("fusion", ["ScalarWeighting", "JointAttention"])
@pytest.mark.parametrize("segments", [True, False])
def test_an_encoder_of_token_ids_and_their_padding(fusion, segments, tmp_path):
    net = {"title": backbone(segments), "text": backbone(segments)}
    shapes = {"title": (None,), "text": (None,), "b": (5,)}
    model = zoo.FusionClassifier(
        shapes, 2, encoders=net, fusion=fusion, units=4, modality_mask=True
    )
    assert model.input["text"].dtype == "int32"
    x = draw({"b": (5,)}, rows=4)
    x["title"] = np.array([[7, 8, 9], [257, 256, 0], [5, 5, 5], [1, 0, 0]], "int32")
    x["text"] = np.array([[7, 8, 9], [257, 256, 0], [0, 0, 0], [1, 0, 0]], "int32")
    there = np.ones((4, 3), bool)
    x["modality_mask"] = there.copy()
    answer = to_numpy(randomize(model)(x))
    assert_close(model(x | {m: padded(x[m], 2) for m in ("title", "text")}), answer)
    there[2, 1] = False  # the empty text is absent
    assert_close(model(x | {"modality_mask": there}), answer)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again(x), answer)


@pytest.mark.parametrize("encoder", [None, [{"class_name": "Masking"}]])
def test_a_late_vote_needs_a_token(encoder):
    encoders = {} if encoder is None else {"encoders": {"text": encoder}}
    shapes = {"text": (None, 3), "b": (2,)}
    model = randomize(zoo.LateFusionClassifier(shapes, 2, units=4, **encoders))
    masked = zoo.LateFusionClassifier(
        shapes, 2, units=4, modality_mask=True, **encoders
    )
    masked.set_weights(model.get_weights())
    x = draw({"text": (4, 3), "b": (2,)})
    x["text"][1] = 0
    there = np.array([[True, True], [False, True], [True, True]])
    filled = x | {"text": x["text"] + ~there[:, :1, None]}
    assert_close(model(x), masked(filled | {"modality_mask": there}))


def test_inputs_that_no_modality_has():
    inputs = [keras.Input((4,), name="left"), keras.Input((4,), name="right")]
    net = keras.Model(inputs, layers.Add()(inputs))
    with pytest.raises(ValueError, match=r"takes the inputs \['left', 'right'\]"):
        zoo.FusionClassifier({"a": (4,), "b": (4,)}, 2, encoders={"a": net})
