"""Full disks, folders that nobody may write to, and clocks that go back."""

import contextlib
import itertools
import os
import resource
import tempfile
import time
from pathlib import Path

import pytest

from tests.cli.running import run, succeed, tree
from tests.experiments import runs
from tests.experiments.test_training import assert_same

pytestmark = [
    pytest.mark.only_on("torch", reason="no backend changes it"),
    pytest.mark.usefixtures("quick"),
]
NOBODY = 65534
DAY = 86400.0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The recipe, and the folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = runs.write(folder)
    return recipe, train(recipe, folder / "runs")


def command(recipe, folder):
    return "train", recipe, "--runs", folder, "--quiet"


def train(recipe, folder):
    succeed(*command(recipe, folder))
    return folder / "tiny" / "model" / "seed-0"


@contextlib.contextmanager
def largest_file(size):
    """No file becomes larger than so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [2**10, 2**15])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on(size, whole, tmp_path):
    recipe, expected = whole
    with largest_file(size):
        status, _, err = run(*command(recipe, tmp_path))
    assert status == 2 and err.count("\n") == 1, err
    assert not list(tmp_path.rglob("*.partial-*"))
    assert_same(train(recipe, tmp_path), expected)


def test_a_folder_that_is_read_only():
    with tempfile.TemporaryDirectory() as name:  # in which nobody may look
        home = Path(name)
        recipe, closed = runs.write(home), home / "closed"
        closed.mkdir(mode=0o555)
        home.chmod(0o755)
        before = tree(home)
        with unprivileged():
            status, _, err = run(*command(recipe, closed))
        assert status == 2 and err.startswith("keras-fusion: error: Permission denied")
        assert tree(home) == before


@contextlib.contextmanager
def unprivileged():
    """Root may write anywhere, so it becomes somebody else for a while."""
    user = os.geteuid()
    if not user:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_clock_that_goes_back_changes_nothing(whole, tmp_path, monkeypatch):
    recipe, expected = whole
    hours = itertools.count()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - DAY * next(hours))
    assert_same(train(recipe, tmp_path), expected)
