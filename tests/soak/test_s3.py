"""Searches whose trials are kept in S3, killed at random moments."""

import os
import random
import time

import pytest

from tests.experiments import runs
from tests.soak import commands
from tests.soak.test_kills import assert_same, finish, found_in, kill

moto = pytest.importorskip("moto.server")
s3fs = pytest.importorskip("s3fs")
pytestmark = pytest.mark.soak

KILLS = int(os.environ.get("KILLS", 8))
TUNE = "tune {search} --runs {folder} --storage s3://bucket/{folder.name}"
COMMANDS = {"here": TUNE, "on Ray": f"{TUNE} --workers 1"}


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket of a server on this machine, which the environment names."""
    server = moto.ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem(use_listings_cache=False)
    system.mkdir("bucket")
    yield system
    system.rm("bucket", recursive=True)  # all servers of a process share what they hold
    server.stop()


@pytest.mark.parametrize("command", COMMANDS)
def test_kills_lose_nothing_that_s3_keeps(command, bucket, tmp_path, record_property):
    record_property("kills", KILLS)
    runs.write(tmp_path)  # the data, too
    search = tmp_path / "search.toml"
    search.write_text(commands.SEARCH.format(data=tmp_path / "data.npz"))

    def words(folder):
        return COMMANDS[command].format(search=search, folder=folder).split()

    began = time.monotonic()
    finish("torch", words(tmp_path / "whole"))
    seconds = time.monotonic() - began
    expected = found_in(tmp_path / "whole")
    rng, kills, attempt, interrupted = random.Random(0), 0, 0, False
    while kills < KILLS:
        folder = tmp_path / str(attempt)
        killed = kill("torch", words(folder), folder, seconds, rng)
        kills += killed
        interrupted |= any("checkpoint" in path for path in kept(bucket, folder.name))
        if not killed:  # it was through before
            assert_same(found_in(folder), expected)
            attempt += 1
    assert interrupted or command == "on Ray"  # whose processes save more rarely
    folder = tmp_path / str(attempt)
    finish("torch", words(folder))
    assert_same(found_in(folder), expected)
    # What is kept is what a search that was not killed keeps.
    assert kept(bucket, folder.name) == kept(bucket, "whole")


def kept(system, name):
    """The names of all that is kept at an address."""
    root = f"bucket/{name}"
    return sorted(path.removeprefix(root) for path in system.find(root))
