"""The study of defaults: its splits, its standings and its page."""

import numpy as np
import pytest

from benchmarks import defaults_page
from benchmarks.defaults_data import Case, Table, split

CELLS = {
    "x": {"base": [0.5, 0.7], "a": [0.8, 0.8], "b": [0.4, 0.4]},
    "y": {"base": [0.9, 0.9], "a": [0.8, 0.8], "b": [0.9, 0.9], "c": [0.9, 0.9]},
}
CELLS = {
    data: {
        name: {"test": x, "missing": x, "validation": x} for name, x in found.items()
    }
    for data, found in CELLS.items()
}


def test_ranks_and_scores():
    found = defaults_page.standings(CELLS, ["base", "a", "b"])
    assert found["base"] == pytest.approx((1.75, 0.75))
    assert found["a"] == pytest.approx((2.0, 0.5))
    assert found["b"] == pytest.approx((2.25, 0.5))


def test_the_page_says_what_has_no_rank():
    text = defaults_page.page(CELLS, {"units": 64})
    assert "| a | 2 | 2.0 | 0.50 | +5.0 (" in text
    assert "| c | 1 | |  | +0.0 | +0.0 |" in text
    assert "| base | 60.0 | 90.0 |" in text


def test_splits_keep_groups_together_and_labels_few():
    labels, groups = np.arange(120) % 3, np.arange(120) // 4
    table = Table({"a": np.arange(120.0)[:, None]}, labels, groups=groups)
    parts = split(Case(lambda: table, 5), table, 0)
    assert np.bincount(parts["train"].labels).tolist() == [5, 5, 5]
    seen = [{int(x) // 4 for x in part.inputs["a"][:, 0]} for part in parts.values()]
    assert not seen[0] & seen[1] and not seen[1] & seen[2] and not seen[0] & seen[2]
