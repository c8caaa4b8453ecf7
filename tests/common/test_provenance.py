import pathlib
import shutil
import subprocess

import pytest

from keras_fusion.common.provenance import provenance

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(),
    reason="this is no checkout of git",
)
def test_numbers_of_a_checkout_name_its_commit():
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    whole = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    commit = provenance()["commit"].removesuffix("+")
    assert len(commit) >= 7 and whole.startswith(commit)
