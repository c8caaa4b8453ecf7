"""The page of all operators says of each what it is."""

import re
import sys
from pathlib import Path

import pytest

from keras_fusion import layers

sys.path.append(str(Path(__file__).parents[2] / "docs" / "site"))

import costs  # noqa: E402
import operators  # noqa: E402

pytestmark = pytest.mark.only_on("jax", reason="the site is made on it")


@pytest.fixture(scope="module")
def table():
    """The cells of every row by the operator's name."""
    rows = [line for line in operators.page().splitlines() if line.startswith("| [`")]
    cells = [line.strip("| ").split(" | ") for line in rows]
    return {re.match(r"\[`(\w+)`\]", row[0])[1]: row for row in cells}


@pytest.mark.slow
def test_every_operator_has_a_whole_row(table):
    assert table.keys() == layers.operators().keys()
    heads = next(x for x in operators.HEAD.splitlines() if x.startswith("| operator"))
    for row in table.values():
        assert len(row) == heads.count("|") - 1 and all(row), row


@pytest.mark.slow
def test_known_facts(table):
    readouts = {name: row[2] for name, row in table.items()}
    assert readouts["Summation"] == "one tensor"
    assert readouts["JointAttention"] == "`mean`, `max`, the M streams"
    assert readouts["CrossAttention"] == readouts["JointAttention"]
    assert "`node`" in readouts["ModalityAttention"]
    assert table["ModalityAttention"][4] == "yes" and table["Product"][4] == "no"
    assert "factor of one" in table["Product"][6]
    assert table["GatedMultimodalUnit"][7].startswith("Arevalo")


@pytest.mark.slow
def test_known_costs(table):
    costs = {name: row[5] for name, row in table.items()}
    assert costs["Summation"] == costs["Concatenation"] == "M T"
    assert costs["ModalityAttention"] == "M<sup>2</sup> T"
    assert costs["JointAttention"] == "M<sup>2</sup> T<sup>2</sup>"
    assert costs["ReleasedMutualFormerBlock"] == "T<sup>2</sup>, for 2 modalities"


def test_the_power_is_that_of_the_largest_term():
    sizes = range(5, 10)
    assert costs.power([7.0 for _ in sizes]) == 0
    assert costs.power([1e6 + 3 * m for m in sizes]) == 1
    assert costs.power([1e4 * m + m * m for m in sizes]) == 2
    assert costs.power([2.0**m for m in sizes]) is None
    assert costs.written("T", None) == "more than any power of T"
