"""One small SavedModel, one server of it, and a real TensorFlow Serving if there is."""

import os
import shutil
import socket
from pathlib import Path

import keras
import pytest

from keras_fusion.common.files import write_json
from keras_fusion.common.provenance import provenance
from keras_fusion.serving.server.models import Models
from keras_fusion.serving.server.servable import Limits
from keras_fusion.serving.server.server import Server
from tests.serving.asking import Address
from tests.serving.saved_model import save

RESULTS = Path(__file__).parents[2] / "benchmarks/results/tensorflow_serving.json"
ASKING = {"test_client.py", "test_grpc.py", "test_ovmsclient.py", "test_rest.py"}
reports, left_out = {}, []
TIGHT = Limits(body=4096, batch=8, seconds=1.0, workers=2, connections=32)


def is_real(nodeid):
    """Whether a test asks a real TensorFlow Serving."""
    path, _, name = nodeid.partition("::")
    asked = name.partition("[")[2].rstrip("]").split("-")
    return path.startswith("tests/serving/") and "real" in asked


def pytest_deselected(items):
    left_out.extend(item.nodeid for item in items if is_real(item.nodeid))


def pytest_runtest_logreport(report):
    """Keeps what came of the tests that asked a real TensorFlow Serving."""
    counts = report.failed or (report.when == "call" and report.passed)
    if is_real(report.nodeid) and counts:
        reports[report.nodeid] = reports.get(report.nodeid, True) and report.passed


def pytest_sessionfinish(session, exitstatus):
    """Writes that all of them passed; of a part of them, or a failure, nothing."""
    asked = {Path(nodeid.partition("::")[0]).name for nodeid in reports}
    named = any("::" in argument for argument in session.config.args)
    whole = asked == ASKING and not left_out and not named
    if whole and exitstatus == 0:
        write_json(RESULTS, {"passed": sorted(reports)} | provenance())


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """The folder `small/1`, to serve or to copy from."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow alone loads and serves, whatever Keras runs on")
    return save(tmp_path_factory.mktemp("saved") / "small" / "1")


@pytest.fixture(scope="session")
def local(saved):
    """The local server's address."""
    with Server(saved.parents[1], rest_port=0, grpc_port=0, say=lambda _: None) as s:
        yield Address(f"http://127.0.0.1:{s.rest_port}", f"127.0.0.1:{s.grpc_port}")


@pytest.fixture(scope="session")
def tight(saved):
    """A server with limits that are easily reached."""
    options = {"rest_port": 0, "grpc_port": 0, "limits": TIGHT}
    with Server(saved.parents[1], say=lambda _: None, **options) as s:
        yield Address(f"http://127.0.0.1:{s.rest_port}", f"127.0.0.1:{s.grpc_port}")


@pytest.fixture(scope="session", params=["local", "real"])
def server(request):
    """The local server, and TensorFlow Serving where addresses are given.

    It must serve what `python -m tests.serving.saved_model FOLDER` writes.
    """
    if request.param == "local":
        return request.getfixturevalue("local")
    given = Address(
        os.environ.get("TENSORFLOW_SERVING_REST"),
        os.environ.get("TENSORFLOW_SERVING_GRPC"),
    )
    if None in given:
        pytest.skip("TENSORFLOW_SERVING_REST and TENSORFLOW_SERVING_GRPC are not set")
    return given


@pytest.fixture
def free_port():
    """A port that nothing listens at."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def place(saved, tmp_path):
    """Copies the SavedModel to `small/<version>` under the folder."""

    def copy(version, name="small"):
        return shutil.copytree(saved, tmp_path / name / str(version))

    return copy


@pytest.fixture
def said():
    return []


@pytest.fixture
def models(tmp_path, said):
    return Models(tmp_path, say=said.append)
