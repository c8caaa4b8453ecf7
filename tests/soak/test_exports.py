"""Real exports that are killed, and one whose bits are flipped."""

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from keras_fusion.export import export, verify, versions
from tests.export.models import CLASS_NAMES, masked_model

pytestmark = pytest.mark.soak

FLIPS = 1000

EXPORT = """
import sys
from keras_fusion.export import export
from tests.export.models import masked_model

export(masked_model(), sys.argv[1])
"""


def test_a_thousand_flipped_bits_are_found(tmp_path):
    version = export(
        masked_model(),
        tmp_path / "name",
        labels=CLASS_NAMES,
        formats=["onnx", "litert"],
        warmup_batches=[1],
    )
    rng = random.Random(0)
    paths = [p for p in sorted(version.rglob("*")) if p.is_file()]
    assert len(paths) == 10
    for _ in range(FLIPS):
        path = rng.choice(paths)
        content = path.read_bytes()
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=f"{path.name} is not as it was exported"):
            verify(version)
        path.write_bytes(content)
    verify(version)


def start(backend, folder):
    path = {"PYTHONPATH": os.pathsep.join([".", *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", EXPORT, str(folder)],
        env=os.environ | path | {"KERAS_BACKEND": backend},
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_killed_export_leaves_what_was_there(backend, tmp_path):
    folder = tmp_path / "name"
    versions.put(lambda staging: (staging / "saved_model.pb").touch(), folder)
    with start(backend, folder) as process:
        while not list(folder.glob(".tmp-*/saved_model.pb")):
            assert process.poll() is None
            time.sleep(0.01)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert visible(folder) == ["1"]
    assert psutil.wait_procs(children, timeout=60)[1] == []  # none writes on
    with start(backend, folder) as process:
        assert process.wait(300) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]
    verify(folder / "2")


def visible(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
