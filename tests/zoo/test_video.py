"""The stages of a stream, and what is made of the last."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import draw, randomize


def build(shape, **arguments):
    """A model of one stream, `a`."""
    return zoo.TwoStreamVideoClassifier(
        {"a": shape}, 3, units=8, encoder_depth=1, **arguments
    )


def test_a_stage_is_a_convolution_over_space_then_time():
    """Against keras.layers.Conv3D, without the weights of the channels."""
    model = randomize(build((4, 7, 6, 2)))
    space, time = (model.get_layer(f"a_stage_0_{part}") for part in ("space", "time"))
    x = draw({"a": (4, 7, 6, 2)})
    over_space = keras.layers.Conv3D(8, (1, 3, 3), strides=(1, 2, 2), padding="same")
    over_space.build((None, 4, 7, 6, 2))
    over_space.set_weights(
        [to_numpy(w)[None] for w in space.weights[:1]] + [to_numpy(space.bias)]
    )
    expected = over_space(x["a"])  # (3, 4, 4, 3, 8)
    found = keras.Model(model.input, model.get_layer("a_stage_0_space_norm").input)(x)
    assert_close(found, expected)

    over_time = keras.layers.Conv3D(8, (3, 1, 1), padding="same")
    over_time.build((None, 4, 4, 3, 8))
    kernel = to_numpy(time.kernel).reshape(3, 1, 1, 8, 8)
    over_time.set_weights([kernel, to_numpy(time.bias)])
    before = keras.Model(
        model.input, model.get_layer("a_stage_0_space_activation").output
    )
    found = keras.Model(model.input, time.output)(x)
    assert_close(found, over_time(before(x)))


def test_a_stage_norms_whole_clips_and_bends_what_it_found_over_time():
    """Normed place by place, what is empty would be as loud as what is not."""
    model = build((4, 8, 8, 2))
    x = draw({"a": (4, 8, 8, 2)})
    x["a"][:, :, :, 4:] *= 0.01
    names = [f"a_stage_0_{part}" for part in ("space_norm", "time_norm", "excitation")]
    space, time, excited = map(model.get_layer, names)
    wanted = [space.output, time.output, excited.input]
    clips, over_time, found = keras.Model(model.input, wanted)(x)
    clips = to_numpy(clips)
    assert_close(clips.mean(axis=(1, 2, 3, 4)), np.zeros(3))
    assert_close(clips.std(axis=(1, 2, 3, 4)), np.ones(3), "float16")
    loud, quiet = clips[..., :2, :].std(axis=-1), clips[..., 3:, :].std(axis=-1)
    assert loud.mean() > 10 * quiet.mean()
    assert_close(found, ops.gelu(over_time, approximate=False))


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_frames_are_means_over_space_side_by_side():
    model = randomize(build((3, 8, 8, 2), include_top=False, pooling="frames"))
    x = draw({"a": (3, 8, 8, 2)})
    names = ("a_stage_0_output", "a_width")
    volume, found = (model.get_layer(name).output for name in names)
    volume, found = keras.Model(model.input, [volume, found])(x)
    frames = to_numpy(volume).mean(axis=(2, 3)).reshape(3, -1)  # (3, 3 * 8)
    assert_close(found, model.get_layer("a_width")(frames))
