"""Dates and times -> the time since the first, and year, week and day as cycles.

The clock is taken as it is written: an offset such as `+02:00` is not counted.
"""

import re

import numpy as np

from keras_fusion.datasets.columns.values import as_text, given

RAW = "string"
_TIME = (
    r"(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]*)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
# By name: the pattern of its days, and where year, month and day stand in it.
_FORMS = {
    "year-month-day": (r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})", (0, 1, 2)),
    "yearmonthday": (r"([0-9]{4})([0-9]{2})([0-9]{2})", (0, 1, 2)),
    "day.month.year": (r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", (2, 1, 0)),
    "month/day/year": (r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", (2, 0, 1)),
    "day/month/year": (r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", (2, 1, 0)),
}
_AMBIGUOUS = "month/day/year", "day/month/year"
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = 86_400
_YEAR, _WEEK = 365.2425, 7.0
_ENOUGH = 0.95


def infer(values) -> bool:
    """Whether nearly all texts that are given are dates of one of the forms."""
    texts = given(as_text(values))
    if not texts or all(text.isdigit() for text in texts):  # rather a number
        return False
    return float(np.mean(_read(texts, _forms(texts))[1])) >= _ENOUGH


def fit(values) -> dict:
    """The forms, the first time, the spread, and whether there are times of day.

    Where days and months cannot be told apart anywhere, the month stands first.

    Raises:
        ValueError: If there is no date.
    """
    texts = given(as_text(values))
    forms = _forms(texts)
    seconds, found = _read(texts, forms)
    if not found.any():
        raise ValueError("expected at least one date in the training rows")
    seconds = seconds[found]
    days = seconds / _DAY
    return {
        "forms": forms,
        "first": int(seconds.min()),
        "mean": float(days.mean()),
        "std": float(days.std()) if days.min() < days.max() else 1.0,
        "low": float(2 * days.min() - days.max()),
        "high": float(2 * days.max() - days.min()),
        "cycles": [_YEAR, _WEEK] + [1.0] * bool((seconds % _DAY).any()),
    }


def encode(values, state: dict) -> tuple[np.ndarray, np.ndarray]:
    """`(N, W)` float32 and `(N,)` bool.

    The features are 1 where the date is missing, the standardized time, and sine and
    cosine of every cycle.
    """
    seconds, present = _read(as_text(values).tolist(), state["forms"])
    return _features(np, seconds, present, state).astype(np.float32), present


def graph(state: dict):
    """`encode` of a string tensor `(N,)`, in TensorFlow."""
    import tensorflow as tf
    import tensorflow.experimental.numpy as tnp

    def run(strings):
        strings = tf.strings.strip(strings)
        seconds = tf.zeros(tf.shape(strings), tf.int64)
        present = tf.zeros(tf.shape(strings), tf.bool)
        for form in state["forms"]:
            pattern, order = _FORMS[form]
            matches = tf.strings.regex_full_match(strings, pattern + _TIME)
            parts = [_part(tf, strings, matches, pattern, i) for i in range(1, 7)]
            year, month, day = (parts[i] for i in order)
            valid = matches & _is_date(tnp, year, month, day, *parts[3:])
            new = valid & ~present
            found = _seconds(tnp, year, month, day, *parts[3:])
            seconds, present = tf.where(new, found, seconds), present | valid
        features = _features(tnp, seconds, present, state)
        return tf.cast(features, "float32"), present

    return run


def width(state: dict) -> int:
    """The features of one value."""
    return 2 + 2 * len(state["cycles"])


def embedding(state: dict) -> dict:
    """The column as `ColumnEmbedding` takes it."""
    return {"width": width(state)}


def words(state: dict) -> str:
    """What there is to say of the column."""
    return "as " + " or ".join(state["forms"]) if state["forms"] else ""


def _forms(texts):
    """The forms that some text has, and of the two ambiguous ones the better."""
    counts = {form: int(_read(texts, [form])[1].sum()) for form in _FORMS}
    first, second = (counts[form] for form in _AMBIGUOUS)
    counts[_AMBIGUOUS[0] if second > first else _AMBIGUOUS[1]] = 0
    return [form for form in _FORMS if counts[form]]


def _read(texts, forms):
    """Seconds since 1970, int64, and whether each text is a date of these forms."""
    patterns = [(re.compile(_FORMS[f][0] + _TIME), _FORMS[f][1]) for f in forms]
    parts = np.zeros((len(texts), 6), np.int64)
    for row, text in enumerate(texts):
        for pattern, order in patterns:
            match = pattern.fullmatch(text)
            if match:
                found = [int(group or 0) for group in match.groups()]
                parts[row] = *(found[i] for i in order), *found[3:]
                if _is_date(np, *parts[row]):
                    break
    present = _is_date(np, *parts.T)
    return np.where(present, _seconds(np, *parts.T), 0), present


def _is_date(np_like, year, month, day, hour, minute, second):
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = np_like.asarray(np.array(_LENGTHS))
    longest = np_like.take(lengths, np_like.clip(month - 1, 0, 11))
    longest = np_like.where((month == 2) & leap, longest + 1, longest)
    clock = (hour < 24) & (minute < 60) & (second < 60)
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= longest) & clock


def _seconds(np_like, year, month, day, hour, minute, second):
    """Since 1970, of the Gregorian calendar; the years begin with March."""
    year = np_like.where(month <= 2, year - 1, year)
    days = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days += 365 * year + year // 4 - year // 100 + year // 400 - 719_468
    return days * _DAY + hour * 3600 + minute * 60 + second


def _features(np_like, seconds, present, state):
    days = np_like.asarray(seconds, np.float64) / _DAY
    clipped = np_like.clip(days, state["low"], state["high"])
    columns = [(clipped - state["mean"]) / state["std"]]
    for period in state["cycles"]:
        angle = 2 * np.pi * (days / period - np_like.floor(days / period))
        columns += [np_like.sin(angle), np_like.cos(angle)]
    there = np_like.asarray(present, np.float64)
    columns = [np_like.where(present, x, np_like.zeros_like(x)) for x in columns]
    return np_like.stack([1 - there, *columns], axis=1)


def _part(tf, strings, matches, pattern, number):
    text = tf.strings.regex_replace(strings, f"^{pattern}{_TIME}$", rf"\{number}")
    usable = matches & (tf.strings.length(text) > 0)
    return tf.strings.to_number(tf.where(usable, text, "0"), tf.int64)
