"""Every guide runs as it stands, and is a page."""

import runpy
from pathlib import Path

import keras
import pytest
import yaml

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.py"))
BACKENDS = {"plain_jax": "jax", "several_devices": "jax"}  # the others run on torch
NEEDS = {"kerashub": "keras_hub", "ray": "ray"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of Ray
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch, capsys):
    backend = BACKENDS.get(path.stem, "torch")
    if keras.backend.backend() != backend:
        pytest.skip(f"runs on {backend}")
    pytest.importorskip(NEEDS.get(path.stem, "keras"))
    monkeypatch.setenv("XLA_FLAGS", "")  # the devices of this process are made
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr()
    assert printed.out, "it shows nothing"
    assert "error:" not in printed.err


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_it_is_a_page(path):
    lines = path.read_text().splitlines()
    assert lines[0] == "# %% [markdown]" and lines[1].startswith("# # ")
    assert len(lines) < 120
    assert "# %%" in lines, "it has no code"


def test_the_site_lists_them():
    nav = yaml.load((ROOT / "mkdocs.yml").read_text(), yaml.SafeLoader)["nav"]
    (listed,) = (entry["Guides"] for entry in nav if "Guides" in entry)
    pages = {entry for entry in listed if isinstance(entry, str)}
    assert pages == {f"docs/guides/{path.stem}.md" for path in GUIDES}
