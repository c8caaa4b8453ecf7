from xml.etree import ElementTree

import keras
import numpy as np
import pytest

from keras_fusion.attribution import (
    attention_rollout,
    over_picture,
    over_series,
    over_words,
)
from keras_fusion.layers import JointAttention
from tests.zoo.samples import randomize

RNG = np.random.default_rng(0)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_rollout_against_the_definition():
    weights = RNG.random((3, 2, 4, 5, 5))  # blocks, rows, heads
    weights /= weights.sum(axis=-1, keepdims=True)
    mean = weights.mean(axis=2)
    expected = [
        np.linalg.multi_dot([(a + np.eye(5)) / 2 for a in mean[::-1, row]])
        for row in range(2)
    ]
    np.testing.assert_allclose(attention_rollout(weights), expected)
    np.testing.assert_allclose(attention_rollout(mean), expected)
    for faulty, words in (([], "one block"), ([weights[0], mean[:1, :, :4, :4]], "of")):
        with pytest.raises(ValueError, match=words):
            attention_rollout(faulty)
    with pytest.raises(ValueError, match=r"of each token to each; .* \(2, 4, 5, 3\)"):
        attention_rollout([weights[0, ..., :3]])


def test_blocks_of_an_operator_are_rolled_out():
    streams = [keras.random.normal((2, n, 4), seed=n) for n in (3, 2)]
    there, weights = np.array([[True, True], [True, False]]), []
    for _ in range(2):
        block = JointAttention(units=4, num_heads=2, readout=None)
        block(streams)
        streams, own = randomize(block)(
            streams, modality_mask=there, return_weights="tokens"
        )
        weights.append(keras.ops.convert_to_numpy(own))
    found = attention_rollout(weights)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)
    assert not found[1, :3, 3:].any() and found[0, :3, 3:].all()
    np.testing.assert_array_equal(found[1, 3:, 3:], np.eye(2))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_picture_is_red_where_it_speaks_for_it():
    picture, values = np.zeros((2, 3, 1)), np.zeros((2, 3, 1))
    picture[0, 0], values[0, 1], values[1, 2] = 9, 2, -1
    drawn = over_picture(picture, values, strength=1.0)
    assert drawn.shape == (2, 3, 3) and drawn.dtype == np.uint8
    assert drawn[0, 0].tolist() == [255] * 3 and drawn[1, 0].tolist() == [0] * 3
    assert drawn[0, 1].tolist() == [200, 30, 40]
    assert drawn[1, 2].tolist() == [15, 40, 100]
    with pytest.raises(ValueError, match=r"received \(2, 3\) and \(3, 2\)"):
        over_picture(picture, values.reshape(3, 2))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_series_has_a_line_and_a_color_for_each_step():
    series = np.array([[0.0, 5.0], [2.0, 5.0], [1.0, 7.0]])
    drawn = over_series(series, [[0.5, 0], [-0.25, 0], [0, 0]], width=30, height=10)
    root = ElementTree.fromstring(drawn)
    first, second = root
    assert root.attrib == {"width": "30", "height": "20"}
    colors = [x.attrib["fill"] for x in first.iter() if x.tag.endswith("rect")]
    assert colors[:2] == ["rgba(200,30,40,0.70)", "rgba(30,80,200,0.35)"]
    assert first[-1].attrib["points"] == "5.00,9.50 15.00,0.50 25.00,5.00"
    assert second[-1].attrib["points"] == "5.00,9.50 15.00,9.50 25.00,0.50"
    with pytest.raises(ValueError, match=r"received \(3, 2\) and \(3,\)"):
        over_series(series, [1, 2, 3])
    with pytest.raises(ValueError, match=r"received \(0,\) and \(0,\)"):
        over_series([], [])


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_words_are_colored_and_escaped():
    drawn = over_words(["<b>", "bad", "so"], [0.5, -0.25, 0])
    assert "&lt;b&gt;" in drawn and "<b>" not in drawn
    assert "rgba(200,30,40,0.70)" in drawn and "rgba(30,80,200,0.35)" in drawn
    with pytest.raises(ValueError, match=r"each of 1 words; received shape \(2,\)"):
        over_words(["one"], [1, 2])
