import base64
import io

import numpy as np
import pytest

from keras_fusion.playground.shown import shown

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


def pixels(found):
    image = pytest.importorskip("PIL.Image")
    head, _, content = found["source"].partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(image.open(io.BytesIO(base64.b64decode(content))))


def test_texts_are_printable():
    assert shown("text", b"a\x1b[2J")["text"] == "a\N{REPLACEMENT CHARACTER}[2J"
    assert shown("text", "x" * 9999)["text"] == "x" * 2000
    assert shown("text", 2.0)["text"] == "2"
    assert shown("text", "") is shown("text", np.nan) is None


def test_files_keep_their_bytes():
    found = shown("picture", b"\x89PNG and more")
    assert found["source"] == "data:image/png;base64,iVBORyBhbmQgbW9yZQ=="
    assert shown("picture", b"\xff\xd8")["source"].startswith("data:image/jpeg")
    assert shown("sound", b"RIFF")["source"] == "data:audio/wav;base64,UklGRg=="
    assert shown("picture", b"") is shown("sound", b"") is None


def test_short_arrays_are_numbers():
    found = shown("numbers", np.array([1, np.nan, 0.1234567], np.float32))
    assert found["numbers"] == [1, 0, 0.12346]
    assert shown("numbers", np.full(3, np.nan)) is None


def test_long_arrays_are_pictures():
    color = np.random.default_rng(0).integers(0, 256, (10, 20, 3), np.uint8)
    np.testing.assert_array_equal(pixels(shown("numbers", color)), color)
    film = np.stack([0 * color, color, 0 * color])
    np.testing.assert_array_equal(pixels(shown("numbers", film)), color)
    sound = np.arange(800.0).reshape(40, 20) / 799 - 0.5  # (T, D)
    drawn = pixels(shown("numbers", sound))
    assert drawn.shape == (20, 40) and drawn[-1, 0] == 0 and drawn[0, -1] == 255
    assert pixels(shown("numbers", np.zeros((30, 30, 4)))).shape == (30, 30)
    assert pixels(shown("numbers", np.zeros((2, 3, 5, 5, 9)))).ndim == 2
