import json
import os
import random
import shutil

import pytest

from keras_fusion.export import manifest

FACTS = {
    key: {"of": "é", "is": 1e-05}
    for key in (
        "model",
        "versions",
        "recipe",
        "metrics",
        "columns",
        "names",
        "signatures",
        "verified",
    )
} | {"backend": "torch", "date": "2026-01-01"}


@pytest.fixture
def version(tmp_path):
    """A made-up version, as an export leaves it."""
    folder = tmp_path / "7"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(bytes(range(256)))
    (folder / "variables" / "numbers").write_bytes(b"\0" * 100)
    (folder / "empty").touch()
    manifest.write(folder, FACTS)
    return folder


def test_what_was_written_is_whole(version):
    found = manifest.verify(version)
    assert {key: found[key] for key in FACTS} == FACTS
    assert sorted(found["files"]) == ["empty", "saved_model.pb", "variables/numbers"]


def test_any_flipped_bit_is_found(version):
    rng = random.Random(0)
    paths = [p for p in sorted(version.rglob("*")) if p.is_file() and p.stat().st_size]
    for _ in range(400):
        path = rng.choice(paths)
        content = path.read_bytes()
        flip(path, content, rng.randrange(8 * len(content)))
        with pytest.raises(ValueError, match=f"{path.name} is not as it was exported"):
            manifest.verify(version)
        path.write_bytes(content)
    manifest.verify(version)


def flip(path, content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)


def test_files_that_come_and_go(version):
    (version / "stray").touch()
    with pytest.raises(ValueError, match="7 holds stray, which was not exported"):
        manifest.verify(version)
    (version / "stray").unlink()
    os.mkfifo(version / "pipe")
    with pytest.raises(ValueError, match="7 holds pipe, which was not exported"):
        manifest.verify(version)
    (version / "pipe").unlink()
    (version / "empty").unlink()
    with pytest.raises(ValueError, match="7 lacks empty, which was exported"):
        manifest.verify(version)
    (version / "empty").symlink_to(version / "saved_model.pb")
    with pytest.raises(ValueError, match="empty is not as it was exported"):
        manifest.verify(version)


def rewritten(**changes):
    def change(content):
        return json.dumps(json.loads(content) | changes, indent=1) + "\n"

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda content: "",
        lambda content: "[1]",
        lambda content: "[" * 100_000,
        lambda content: content + " ",
        lambda content: content.replace("\\u00e9", "\\u00E9"),
        lambda content: content.replace("1e-05", "1E-05"),
        lambda content: content.replace('"backend"', '"backends"'),
        rewritten(files={}),
        rewritten(metrics=None),
        rewritten(digest="0" * 64),
        rewritten(more=1),
    ],
)
def test_a_changed_manifest_is_found(version, change):
    file = version / "manifest.json"
    before = file.read_text()
    file.write_text(change(before))
    assert file.read_text() != before
    with pytest.raises(ValueError, match="manifest.json is not as it was exported"):
        manifest.verify(version)


def test_all_versions_of_a_folder(version):
    shutil.copytree(version, version.parent / "10")
    (version.parent / "latest").mkdir()
    found = manifest.verified_versions(version.parent)
    assert [path.name for path in found] == ["7", "10"]
    assert list(manifest.verified_versions(version)) == [version]
    (version.parent / "10" / "empty").unlink()
    with pytest.raises(ValueError, match="10 lacks empty"):
        manifest.verified_versions(version.parent)


def test_nothing_to_verify(tmp_path, version):
    with pytest.raises(ValueError, match="none: expected a manifest.json or numbered"):
        manifest.verified_versions(tmp_path / "none")
    (version / "manifest.json").unlink()
    for path in (version, version.parent):
        with pytest.raises(ValueError, match="7 has no manifest.json: it is no whole"):
            manifest.verified_versions(path)
