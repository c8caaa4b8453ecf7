"""`manifest.json`: what an exported version is, and the sha256 of its every file."""

import hashlib
import json
from pathlib import Path

from keras_fusion.common.errors import InputError

MANIFEST = "manifest.json"
_KEYS = {
    "format",
    "model",
    "backend",
    "versions",
    "date",
    "recipe",
    "metrics",
    "columns",
    "names",
    "signatures",
    "verified",
    "files",
    "digest",
}
_FORMAT = 2


def write(folder: Path, facts: dict) -> None:
    """Writes the manifest of all that lies in `folder`.

    Args:
        folder: A version that is otherwise complete.
        facts: `model`, `backend`, `versions`, `date`, `recipe`, `metrics`,
            `columns` (names by input), `names` (a person's own name by input of a
            signature), `signatures` and `verified`, as JSON knows them.
    """
    content = {"format": _FORMAT, **facts, "files": _hashes(folder)}
    content["digest"] = _digest(content)
    (folder / MANIFEST).write_bytes(_bytes(content))


def verify(folder: str | Path) -> dict:
    """The manifest of a version whose every bit is as it was exported.

    It guards against damage, not against somebody who writes a new manifest.

    Raises:
        ValueError: If a file differs, is missing or was not exported, or the manifest
            itself is not as it was written.
    """
    folder = Path(folder)
    manifest = _read(folder / MANIFEST)
    expected, found = manifest["files"], _hashes(folder)
    missing = sorted(expected.keys() - found.keys())
    unknown = sorted(found.keys() - expected.keys())
    if missing:
        raise InputError(f"{folder} lacks {', '.join(missing)}, which was exported.")
    if unknown:
        raise InputError(
            f"{folder} holds {', '.join(unknown)}, which was not exported with it."
        )
    for name, sha256 in expected.items():
        if found[name] != sha256:
            raise InputError(f"{folder / name} is not as it was exported.")
    return manifest


def verified_versions(path: str | Path) -> dict[Path, dict]:
    """`verify` of a version folder, or of every version in a folder of versions.

    Raises:
        ValueError: If one is not whole, or there is none.
    """
    path = Path(path)
    folders = [path]
    if not any((path / name).exists() for name in (MANIFEST, "saved_model.pb")):
        numbered = [p for p in path.glob("*") if p.name.isdecimal() and p.is_dir()]
        folders = sorted(numbered, key=lambda p: int(p.name))
    if not folders:
        raise InputError(f"{path}: expected a {MANIFEST} or numbered versions.")
    return {folder: verify(folder) for folder in folders}


def _read(file):
    if not file.is_file():
        raise InputError(f"{file.parent} has no {MANIFEST}: it is no whole export.")
    content = file.read_bytes()
    try:
        manifest = json.loads(content)
        # The same bytes again, so that not even a space may differ.
        whole = (
            manifest.keys() == _KEYS
            and manifest["digest"] == _digest(manifest)
            and content == _bytes(manifest)
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise InputError(f"{file} is not as it was exported.")
    return manifest


def _hashes(folder):
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            hashes[name] = "a link"  # no export writes one
        elif not path.is_file() and not path.is_dir():
            hashes[name] = "a pipe or a device"
        elif path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _digest(content):
    rest = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(_bytes(rest)).hexdigest()


def _bytes(content):
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
