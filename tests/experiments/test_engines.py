"""Ray as an engine of trials, by functions that train nothing."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from keras_fusion.experiments import engines

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("torch", reason="no backend changes it"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def nice(monkeypatch):
    """A busy machine starves processes that give way to all others, as Ray's do."""
    monkeypatch.setenv("RAY_worker_niceness", "0")


def work(what, folder):
    """Runs in a process of Ray's."""
    if what == "dies once" and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "always dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "fills the disk":
        raise OSError(28, "No space left on device")
    return f"{what} in {os.getpid()}, {os.environ['KERAS_BACKEND']}"


def test_who_dies_is_replaced_and_who_always_dies_has_failed(tmp_path):
    engine = engines.OnRay(work, workers=2)
    tasks = ["well", "dies once", "always dies"]
    with engine:
        folder = engine.share(tmp_path)
        for name in tasks:
            engine.start(name, name, folder)
        found = dict(engine.wait() for _ in tasks)
        engine.start("full", "fills the disk", folder)
        with pytest.raises(OSError) as error:
            engine.wait()
    assert str(error.value) == "[Errno 28] No space left on device"  # no traceback
    assert found["well"].startswith("well in") and found["well"].endswith("torch")
    assert found["dies once"].startswith("dies once in")
    assert isinstance(found["always dies"], RuntimeError)
    assert str(found["always dies"]) == "its process died, 3 times"
    assert str(os.getpid()) not in found["well"]


def test_what_a_task_needs_is_asked_of_ray(monkeypatch):
    import ray

    asked = {}

    def remote(**options):
        asked.update(options)
        return lambda run: run

    monkeypatch.setattr(ray, "init", lambda **options: asked.update(options))
    monkeypatch.setattr(ray, "remote", remote)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with engines.OnRay(work, 3, "ray://head:10001", gpus=0.5, calls=9) as engine:
        assert engine.size == 3
    assert asked["address"] == "ray://head:10001"
    assert (asked["num_gpus"], asked["num_cpus"], asked["max_calls"]) == (0.5, 1, 9)


ONE_TRY = {"RAY_NUM_REDIS_GET_RETRIES": "1"}  # instead of twenty


@pytest.mark.parametrize("mode, enters", [("token", True), ("disabled", False)])
def test_nobody_enters_without_the_token(mode, enters):
    import ray

    visit = "import ray, sys; ray.init(sys.argv[1])"
    with engines.OnRay(work, workers=1):
        address = ray.get_runtime_context().gcs_address
        visitor = subprocess.run(
            [sys.executable, "-c", visit, address],
            env=os.environ | {"RAY_AUTH_MODE": mode} | ONE_TRY,
            capture_output=True,
            text=True,
        )
    assert (visitor.returncode == 0) == enters, visitor.stderr
    assert enters or "Failed to connect" in visitor.stderr


DRIVER = """
import pathlib, signal, sys, time
from keras_fusion.experiments import engines

# What a shell started in the background is deaf to Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

def forever(path):
    path.write_text("begun")
    time.sleep(600)

with engines.OnRay(forever, workers=1) as engine:
    engine.start("one", pathlib.Path(sys.argv[1]))
    engine.wait()
"""


def descendants(of):
    """Processes whose line of parents goes through this one."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = entry.read_text().partition(" (")
        except OSError:
            continue
        parents[int(number)] = int(rest.rpartition(")")[2].split()[1])

    def below(number):
        return number in parents and (parents[number] == of or below(parents[number]))

    return {number for number in parents if below(number)}


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' /proc")
@pytest.mark.parametrize(
    "end",
    [
        signal.SIGINT,
        # Ray's processes look for the one that started them once a minute.
        pytest.param(signal.SIGKILL, marks=pytest.mark.soak),
    ],
)
def test_the_processes_of_ray_end_with_the_command(tmp_path, end):
    command = [sys.executable, "-c", DRIVER, tmp_path / "begun"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for((tmp_path / "begun").is_file)
        started = descendants(process.pid)
        assert len(started) > 2
        wait_for(lambda: ended(process, end))
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: not any(map(alive, started)))


def ended(process, by):
    """Whether a signal ends it; Python drops one that falls into a finalizer."""
    process.send_signal(by)
    try:
        return process.wait(timeout=20) is not None
    except subprocess.TimeoutExpired:
        return False


def alive(number):
    try:
        stat = pathlib.Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition, seconds=240):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)
