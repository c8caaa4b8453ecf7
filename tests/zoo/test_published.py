import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

from keras_fusion.zoo import published as recipes

ROOT = pathlib.Path(__file__).resolve().parents[2]

PROBE = """
from keras_fusion.zoo import published as recipes
print(recipes.folder(), *recipes.names())
print((recipes.folder() / "probe" / "model.weights.h5").read_text())
"""


def test_in_a_checkout(tmp_path, monkeypatch):
    assert recipes.folder() == ROOT / "zoo"
    for name in ("b", "a", "no_recipe"):
        (tmp_path / name).mkdir()
    for name in ("b", "a"):
        (tmp_path / name / "recipe.toml").write_text("")
    monkeypatch.setattr(recipes, "folder", lambda: tmp_path)
    assert recipes.names() == ("a", "b")


@pytest.fixture
def wheel(tmp_path):
    """A wheel of this checkout with one more recipe, `probe`."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("keras_fusion", "zoo"):
        shutil.copytree(ROOT / name, source / name)
    probe = source / "zoo" / "probe"
    probe.mkdir()
    (probe / "recipe.toml").write_text("")
    (probe / "model.weights.h5").write_text("weights")
    # without isolation the build needs no network
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, source)
    return next(tmp_path.glob("*.whl"))


def test_in_a_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert tops == {"keras_fusion", "-".join(wheel.stem.split("-")[:2]) + ".dist-info"}

    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    pip("install", "--no-deps", "--no-index", "--target", site, wheel)
    found = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=away,
        env={**os.environ, "PYTHONPATH": str(site)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [
        str(site / "keras_fusion" / "_recipes"),
        *sorted([*recipes.names(), "probe"]),
        "weights",
    ]


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)
