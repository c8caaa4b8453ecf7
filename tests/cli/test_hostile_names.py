"""What a person, or an attacker, calls things is text wherever it comes out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from keras_fusion.experiments import comparison, recipes
from keras_fusion.tuning import promote, write_report
from tests.cli.running import CARD, run, succeed
from tests.experiments import runs
from tests.tuning.samples import results, trial

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

MODALITIES = "../../<b>|`[a](b)", "\x1b[2J\x1b]0;x\x07 \N{GRINNING FACE}"
CLASSES = "<script>alert(1)</script>", "a`b\nc", "\u202e\x9b31m$x_"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
HTML = re.compile(r"<(script|b|img)\b")  # as our own cards have none


def write(folder):
    """A recipe whose data have such names."""
    arrays = runs.arrays(60)
    labels = np.unique(arrays["y"], return_inverse=True)[1]
    data = dict(zip(MODALITIES, (arrays["a"], arrays["b"])))
    folder.mkdir()
    np.savez(folder / "data.npz", y=np.array(CLASSES)[labels], **data)
    recipe = folder / "recipe.toml"
    text = runs.RECIPE.format(data=folder / "data.npz")
    recipe.write_text(f"usual_baselines = false\n{text}")
    (folder / "README.md").write_text(CARD)
    return folder


@pytest.mark.slow
def test_from_training_to_the_card(tmp_path, quick):
    home = write(tmp_path / "<b>x")
    options = "--runs", tmp_path / "up" / "runs", "--seeds", 0
    out = succeed("evaluate", home, *options, "--publish")
    out += succeed("train", home, *options, "--quiet")
    (model,) = (tmp_path / "up").rglob("model.keras")
    out += succeed("predict", model, home / "data.npz")
    assert "<script>" in out and not CONTROL.search(out)
    page = (home / "README.md").read_text(encoding="utf-8")
    assert "&lt;b>" in page
    assert not HTML.search(page) and not CONTROL.search(page)


def test_no_folder_of_runs_is_outside():
    found = comparison._folders(
        [f"only-{MODALITIES[0]}", "only-b", "model"], MODALITIES
    )
    assert [*found.values()] == ["only-b_a_b", "only-b", "model"]


def test_errors(tmp_path):
    np.savez(tmp_path / "x.npz", **{MODALITIES[1]: np.array(["a"] * 30)})
    for dataset in (f"npz:{tmp_path / 'x.npz'}", f"npz:{tmp_path}/\x1b[2J\n.npz"):
        recipe = runs.write(tmp_path)
        status, _, err = run("train", recipe, "--dataset", dataset)
        assert status == 2 and err.count("\n") == 1 and not CONTROL.search(err)


def test_the_page_of_a_search_and_the_recipe_that_it_makes(tmp_path):
    found = results()
    hostile = trial(30, "only-<img src=x onerror=alert(1)>", 0.97)
    found.trials.append(hostile)
    hostile_search = {"name": "<script>x\ny", "dataset": "csv:`<b>\x1b[2J`.csv"}
    found = replace(found, search=replace(found.search, **hostile_search))
    page = write_report(found, tmp_path / "page.html").read_text(encoding="utf-8")
    own = page.partition("<title>")[2].partition("<style>")[0]
    own += page.rpartition("<h1>")[2]
    assert "onerror" in own and "x\ny" in own
    assert "<img" not in own and "<script>x" not in own and "\x1b" not in own
    file = promote(found, tmp_path / "<b>x")
    assert recipes.read(str(file)).dataset == found.search.dataset
    card = file.with_name("README.md").read_text(encoding="utf-8")
    code = re.sub(r"`[^`\n]*`", "", card)
    assert not HTML.search(code) and not CONTROL.search(card)


def test_what_init_writes_is_read_again(tmp_path):
    columns = {"\N{GRINNING FACE}_1": 0.5, 'a"\x7f\\_1': 1.5, "id": 0}
    lines = [",".join(f'"{c}"'.replace('a"', 'a""') for c in [*columns, "kind"])]
    lines += [f"{i / 7},{i % 5},row {i},{'nyy'[i % 3]}" for i in range(40)]
    file = tmp_path / "x.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    succeed("init", file, "--label", "kind")
    recipe = recipes.read(str(file.with_suffix(".toml")))
    shapes = recipes.load_data(recipe, 0).input_shapes
    assert len(shapes) >= 1
