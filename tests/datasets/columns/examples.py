"""Training values of every kind of column, and odd values that may come later."""

import io

import numpy as np
import soundfile
from hypothesis import strategies as st
from PIL import Image

WORDS = [
    "red",
    "Red ",
    "größe",
    "NA",
    "don't",
    "İstanbul",
    "ΣΊΣΥΦΟΣ",
    "漢字",
    "🙂",
    "3.0",
]
BLANKS = ["", " ", "\t\n", "\x00", "\u00a0", "\u3000"]
DATES = [
    *("2024-02-29", "2023-02-29", "1/2/2024", "31/12/2023", "5.3.1999", "20240101"),
    *("2024-13-01", "0000-00-00", "9999-12-31T23:59:59Z", "2024-01-01 24:00"),
    *("2024-01-01T10:20:30.5+02:00", "1900-02-29", "2000-2-29 1:02"),
]

RNG = np.random.default_rng(0)


def picture(mode="RGBA", form="PNG", size=(9, 7), **options):
    """Bytes of a picture of noise."""
    pixels = Image.fromarray(RNG.integers(0, 256, (*size, 4), np.uint8), "RGBA")
    stream = io.BytesIO()
    pixels.convert(mode).save(stream, form, **options)
    return stream.getvalue()


def sound(rate=8_000, seconds=0.1, channels=2):
    """Bytes of a wav file of noise."""
    samples = RNG.uniform(-0.9, 0.9, (int(rate * seconds), channels))
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def array(*shape):
    """Numbers with a gap, as float32 holds them."""
    numbers = RNG.normal(5, 3, shape).astype(np.float32)
    numbers.flat[0] = np.nan
    return numbers


PICTURES = [
    *(picture(mode) for mode in ("RGBA", "RGB", "L", "LA", "P", "1", "I;16")),
    *(picture(m, "JPEG", (20, 33), quality=80) for m in ("RGB", "L")),
    picture("RGB", "JPEG", progressive=True),
    *(picture(mode, size=(520, 3)) for mode in ("RGBA", "L")),
]
SOUNDS = [
    sound(),
    sound(16_000),
    sound(11_025, 0.05, 1),
    sound(44_100),
    sound(8_000, 0),
    sound(44_100, 0.4),
]
TRAINING = {
    "image": [*PICTURES, None, b"", "no/such.png"],
    "audio": [*SOUNDS, None, b"RIFF"],
    "array": [array(5, 2), array(4, 2), None],
    "number": [1, 2.5, None, "4", 1000.0, 3e8, "n/a", 0, 0],
    "category": ["red", "red ", "blue", "blue", "größe", "größe", "漢字", "漢字", None],
    "boolean": ["yes", "No", "", "yes"],
    "date": ["2024-01-31", "2020-02-29 10:00", None, "25/12/2021", "1/2/2023"],
    "text": ["A red Hat!", "größe: red hat", "the 漢字 hat, the sun", "", None],
}
OPTIONS = {
    "image": [{"size": [4, 11]}, {}],
    "audio": [{"rate": 8_000, "mels": 8}],
    "number": [{}, {"scale": "quantiles"}],
    "text": [{}, {"level": "characters", "length": 5}],
}


def _mixed(*known):
    """Texts of these, of odd words, of blanks, and of anything, joined."""
    piece = st.one_of(st.sampled_from([*known, *WORDS, *BLANKS]), st.text(max_size=6))
    return st.lists(piece, max_size=4).map("".join)


def _broken(files):
    """Files as they are, files that are cut, and bytes of anything."""

    def cut(file):
        return st.integers(0, len(file)).map(lambda end: file[:end])

    whole = st.sampled_from(files)
    return st.one_of(whole, whole.flatmap(cut), st.binary())


VALUES = {
    "image": _broken(PICTURES),
    "audio": _broken(SOUNDS),
    "array": st.one_of(
        st.none(),
        st.integers(1, 9).map(lambda length: array(length, 2)),
        st.sampled_from([array(3), array(2, 3), np.full((2, 2), np.nan)]),
    ),
    "number": st.one_of(st.floats(), st.floats(-3, 3), st.integers(-(10**6), 10**6)),
    "category": _mixed(*filter(None, TRAINING["category"])),
    "boolean": _mixed("yes", "TRUE", "0", "f", "off"),
    "date": st.one_of(
        st.sampled_from(DATES),
        st.datetimes().map(str),
        st.dates().map(lambda day: f"{day.day}/{day.month}/{day.year:04}"),
        _mixed(*DATES),
    ),
    "text": _mixed("red hat", " the ", "größe", "!"),
}


def column(values):
    """Values as a kind takes them."""
    array = np.empty(len(values), object)
    array[:] = values
    return array
