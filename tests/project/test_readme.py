"""The examples in the READMEs and docs/ run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest

from keras_fusion.tuning import search_file
from keras_fusion.tuning import space as spaces
from keras_fusion.zoo import published
from keras_fusion.zoo.published import WEIGHTS as FILE

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```python *(\w*)\n(.*?)```", re.DOTALL)


def blocks(page, kind):
    text = (ROOT / page).read_text()
    found = [code for tag, code in BLOCK.findall(text) if tag == kind]
    assert found, f"{page} has no such example"
    return found


def test_own_arrays():
    scope = {}
    for code in blocks("README.md", ""):
        exec(code, scope)
    probabilities = scope["model"].predict(scope["inputs"], verbose=0)
    assert probabilities.shape == (200, 3)


def test_it_is_short():
    assert len((ROOT / "README.md").read_text()) <= 6500


def test_own_table(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    ill = rng.random(200) < 0.4
    ages, sexes = rng.integers(20, 90, 200), rng.choice(["f", "m", ""], 200)
    rows = [
        f"{age},{sex},seen on day {day}: {'fever' if i else 'well'},{'ny'[i]}"
        for day, (age, sex, i) in enumerate(zip(ages, sexes, ill.astype(int)))
    ]
    (tmp_path / "patients.csv").write_text(
        "\n".join(["age,sex,findings,diagnosis", *rows])
    )
    monkeypatch.chdir(tmp_path)
    scope = {}
    for code in blocks("README.md", "table"):
        exec(code.replace("epochs=100", "epochs=3"), scope)
    inputs, labels = scope["validation"]
    assert scope["model"].evaluate(inputs, labels, verbose=0)[1] > 0.7


def test_search_file(tmp_path):
    page = (ROOT / "tuning/README.md").read_text()
    (toml,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    (tmp_path / "my_search.toml").write_text(toml)
    search = search_file.read(str(tmp_path / "my_search.toml"))
    spaces.checked(search.space)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_a_plain_tuner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = {}
    for code in blocks("tuning/README.md", ""):
        exec(code, scope)
    assert scope["best"]["fusion"]


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_trained_weights():
    if not (published.folder() / "mfeat_modality_attention" / FILE).is_file():
        pytest.fail("the recipe of the example has no trained weights")
    scope = {}
    for code in blocks("zoo/README.md", ""):
        exec(code, scope)
    assert (scope["predictions"] == scope["digits"].test.labels).mean() > 0.9


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_which_fusion():
    scope = {}
    for code in blocks("docs/which-fusion.md", ""):
        exec(code, scope)
    assert scope["shares"].shape == (30, 2) and scope["of_streams"].shape == (2, 2)
    assert scope["learned_once"].shape == scope["by_sample"].shape == (5, 64)
    assert scope["maps"].shape == (2, 8, 8, 16)
    probabilities = scope["model"].predict(scope["patients"], verbose=0)
    assert np.isfinite(probabilities).all()
    assert scope["baseline"].output_shape == (None, 2)
