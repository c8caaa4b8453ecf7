"""Training values of every kind of column, and odd values that may come later."""

import numpy as np
from hypothesis import strategies as st

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

TRAINING = {
    "number": [1, 2.5, None, "4", 1000.0, 3e8, "n/a", 0, 0],
    "category": ["red", "red ", "blue", "blue", "größe", "größe", "漢字", "漢字", None],
    "boolean": ["yes", "No", "", "yes"],
    "date": ["2024-01-31", "2020-02-29 10:00", None, "25/12/2021", "1/2/2023"],
    "text": ["A red Hat!", "größe: red hat", "the 漢字 hat, the sun", "", None],
}
OPTIONS = {
    "number": [{}, {"scale": "quantiles"}],
    "text": [{}, {"level": "characters", "length": 5}],
}


def _mixed(*known):
    """Texts of these, of odd words, of blanks, and of anything, joined."""
    piece = st.one_of(st.sampled_from([*known, *WORDS, *BLANKS]), st.text(max_size=6))
    return st.lists(piece, max_size=4).map("".join)


VALUES = {
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
