"""What the site is made of, as far as it needs nothing to be installed."""

import ast
import importlib
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs" / "site"))

import boxes  # noqa: E402
import fences  # noqa: E402
import house  # noqa: E402
import outputs  # noqa: E402
import reference  # noqa: E402

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

COMMAND = "keras_fusion.cli.main"
GUIDE = """# %% [markdown]
# # A guide

# %%
x = 1
print("one  ")

# %% [markdown]
# Words.

# %%
print(x + 1)
"""


def test_the_page_of_the_house_tells_of_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)", page, re.M)))
    assert sorted(rooms) == sorted(house.imports(ROOT / "keras_fusion").keys())


def test_boxes_stand_above_what_they_import():
    floors = boxes.by_floor({"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": {"c"}})
    assert floors == [["c"], ["b", "d"], ["a"]]


def test_the_reference_has_what_modules_export():
    assert "keras_fusion.testing.check_operator" in reference.page("testing")
    assert "shapley_values" in reference.page("attribution")


def test_the_reference_has_what_guides_use():
    pages = "\n".join(map(reference.page, reference.MODULES))
    there = set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))
    for path in outputs.GUIDES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.module == COMMAND:
                continue
            if node.module.startswith("keras_fusion"):
                module = importlib.import_module(node.module)
                things = [getattr(module, alias.name) for alias in node.names]
                names = {f"{x.__module__}.{x.__name__}" for x in things if callable(x)}
                assert names <= there, path.name


def test_words_behind_a_language_do_not_break_a_fence():
    readme = fences.plain((ROOT / "README.md").read_text())
    starts = re.findall(r"^```.*", readme, re.MULTILINE)
    assert starts and set(starts) == {"```python", "```"}


def test_cells_print_into_their_own_place(tmp_path, monkeypatch):
    path = tmp_path / "guide.py"
    path.write_text(GUIDE)
    monkeypatch.setattr(sys, "argv", ["x"])
    assert outputs.cells(path) == ["one", "2"]


def test_output_of_other_code_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "GUIDES", tmp_path)
    monkeypatch.setattr(outputs, "KEPT", tmp_path / "outputs.json")
    path = tmp_path / "guide.py"
    path.write_text(GUIDE)
    assert outputs.kept(path) is None
    outputs.keep(path, ["one", "2"])
    assert outputs.kept(path) == ["one", "2"]
    path.write_text(GUIDE.replace("Words.", "Other words."))
    assert outputs.kept(path) == ["one", "2"]
    path.write_text(GUIDE + "print(3)\n")
    assert outputs.kept(path) is None


@pytest.mark.skipif(not outputs.KEPT.is_file(), reason="no output is kept")
def test_kept_output_is_of_the_cells_that_are_there():
    for path in sorted(outputs.GUIDES.glob("*.py")):
        printed = outputs.kept(path)
        if printed is not None:
            assert len(printed) == len(outputs.code_cells(path.read_text())), path
    text = outputs.KEPT.read_text()
    assert "/tmp" not in text and json.loads(text)
