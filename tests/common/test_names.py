"""What a person calls a modality becomes a name that every format takes."""

import itertools
import keyword
import random
import re

import pytest

from keras_fusion.common.names import EDGE_INDEX, MASK, safe_names

# Names of tables that people have, and names that some backend refuses.
HOSTILE = (
    "sepal length (cm)",
    "sepal length [cm]",
    "größe",
    "grosse",
    "温度",
    "湿度",
    "class",
    "class_",
    "self",
    "None",
    "training",
    "-x",
    "x",
    "a:b",
    "a/b",
    "a.b",
    "a_b",
    "%",
    "$",
    " ",
    "2d",
    "_",
    "\n",
    "e\u0301",
    "é",
    "x" * 300,
    "x" * 301,
)


def test_names_are_safe_and_differ():
    rng = random.Random(0)
    letters = "aA_1 .-/:%é温ß\t"
    drawn = {"".join(rng.choices(letters, k=rng.randint(1, 4))) for _ in range(2000)}
    for names in (HOSTILE, sorted(drawn)):
        safe = safe_names(names)
        assert list(safe) == list(names)
        assert len(set(safe.values())) == len(names)
        for name in safe.values():
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name, re.ASCII)
            assert not keyword.iskeyword(name) and name not in ("self", MASK)
            assert len(name) <= 64


def test_the_order_of_names_changes_nothing():
    some = HOSTILE[:4] + HOSTILE[14:17]
    for order in itertools.islice(itertools.permutations(some), 0, None, 97):
        assert safe_names(order) == safe_names(some)


def test_safe_names_stay_as_they_are():
    safe = ["rgb", "Depth2", "x_1", "left_camera", MASK, EDGE_INDEX]
    assert safe_names(safe) == dict(zip(safe, safe, strict=True))
    mapped = list(safe_names(HOSTILE).values())
    assert list(safe_names(mapped).values()) == mapped


@pytest.mark.parametrize("name", ["", 3, None])
def test_a_name_is_a_text(name):
    with pytest.raises(ValueError, match="must be a text; received"):
        safe_names([name])
