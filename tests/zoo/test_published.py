import functools
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from keras_fusion.zoo import published

ROOT = pathlib.Path(__file__).resolve().parents[2]

DEMO = "mfeat_modality_attention"
PROBE = """
import json
from keras_fusion.zoo import published

found = [str(published.folder()), published.names()]
found += [published.weights("probe").read_text() for _ in range(2)]
found.append(str(published.weights("mfeat_modality_attention").parent))
try:
    published.weights("other")
except ValueError as error:
    found.append(str(error))
print()  # after the progress of the download
print(json.dumps(found))
"""


def test_in_a_checkout(tmp_path, monkeypatch):
    assert published.folder() == ROOT / "zoo"
    for name in ("b", "a", "no_recipe"):
        (tmp_path / name).mkdir()
    for name in ("b", "a"):
        (tmp_path / name / "recipe.toml").write_text("")
    monkeypatch.setattr(published, "folder", lambda: tmp_path)
    assert published.names() == ("a", "b")


def test_the_list_names_the_weights_as_they_are():
    listed = json.loads((ROOT / "zoo" / published.LIST).read_text())
    files = (ROOT / "zoo").glob(f"*/{published.WEIGHTS}")
    found = {p.parent.name: digest(p.read_bytes()) for p in files}
    assert listed == found, "run keras_fusion.zoo.published.list_weights()"


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def wheel(tmp_path):
    """A wheel of this checkout with two more recipes, `probe` and `other`."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("keras_fusion", "zoo"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("probe", "other"):
        (source / "zoo" / name).mkdir()
        (source / "zoo" / name / "recipe.toml").write_text("")
        (source / "zoo" / name / "model.weights.h5").write_text(name)
    digests = {name: digest(name.encode()) for name in ("probe", "other")}
    (source / "zoo" / published.LIST).write_text(json.dumps(digests))
    # without isolation the build needs no network
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, source)
    return next(tmp_path.glob("*.whl"))


@pytest.fixture
def release(tmp_path):
    """The address of a release on this machine, in which one file is another."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in ("probe", "other"):
        (folder / f"{name}.weights.h5").write_text("probe")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.slow
def test_in_a_wheel(wheel, release, tmp_path):
    assert wheel.stat().st_size < 3e6
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"keras_fusion", "-".join(wheel.stem.split("-")[:2]) + ".dist-info"}
    heavy = [name for name in names if name.endswith((".h5", ".png"))]
    assert heavy == [f"keras_fusion/_recipes/{DEMO}/{published.WEIGHTS}"]
    assert "keras_fusion/py.typed" in names

    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    pip("install", "--no-deps", "--no-index", "--target", site, wheel)
    places = {"PYTHONPATH": str(site), "KERAS_HOME": str(tmp_path / "keras")}
    found = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=away,
        env={**os.environ, **places, published.VARIABLE: release},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(found.stdout.splitlines()[-1])
    folder, names, *contents, demo, refused = found
    assert demo == f"{folder}/{DEMO}"
    assert folder == str(site / "keras_fusion" / "_recipes")
    assert names == sorted([*published.names(), "other", "probe"])
    assert contents == ["probe", "probe"]
    assert "The weights of other cannot be fetched" in refused


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)
