"""What a client knows of a model holds for the version that it asks, and no other."""

import shutil
import threading
import time
import types
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from keras_fusion import serving
from keras_fusion.serving.client import client as client_module
from keras_fusion.serving.server.server import Server
from tests.serving.asking import Address, Stubs, arrays, get, post, predict_request
from tests.serving.saved_model import POSE, RGB, save

INPUTS = {"rgb": RGB, "pose": POSE}


@pytest.fixture(scope="module")
def second(saved, tmp_path_factory):
    """Twice the scores."""
    return save(tmp_path_factory.mktemp("second") / "2", 2.0)


@pytest.fixture
def folder(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "small" / "1")
    return tmp_path / "small"


def serve(folder, **options):
    options = {"rest_port": 0, "grpc_port": 0, "say": lambda _: None} | options
    return Server(folder, poll_seconds=3600, **options)


def address_of(server):
    ports = server.rest_port, server.grpc_port
    return Address(f"http://127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}")


def url(server, kind):
    address = address_of(server)
    return address.rest if kind == "rest" else f"grpc://{address.grpc}"


def scores(client, **asked):
    return client.predict("small", {"rgb": RGB}, **asked)["scores"][0].tolist()


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_absence_is_said_to_the_version_that_answers(kind, folder, second):
    with serve(folder.parent) as server, serving.Client(url(server, kind)) as client:
        assert scores(client) == [6, 0]
        shutil.copytree(second, folder / "2")
        server.models.refresh()
        assert scores(client) == [12, 0]


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_a_newer_version_is_seen_beside_the_older_one(
    kind, folder, second, monkeypatch
):
    labels = {"small": {"kept": 1}}
    with (
        serve(folder.parent, labels=labels) as server,
        serving.Client(url(server, kind)) as client,
    ):
        assert scores(client) == scores(client, label="kept") == [6, 0]
        shutil.copytree(second, folder / "2")
        server.models.refresh()
        later = types.SimpleNamespace(monotonic=lambda: time.monotonic() + 6)
        monkeypatch.setattr(client_module, "time", later)
        assert scores(client) == [12, 0]
        assert scores(client, label="kept") == scores(client, version=1) == [6, 0]


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_a_version_that_is_named_is_never_another(kind, folder, second):
    with serve(folder.parent) as server, serving.Client(url(server, kind)) as client:
        assert scores(client, version=1) == [6, 0]
        shutil.copytree(second, folder / "2")
        server.models.refresh()
        with pytest.raises(serving.ServingError, match="no version 1 of"):
            scores(client, version=1)


# Labels


@pytest.fixture(scope="module")
def labeled(saved, second, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labeled") / "small"
    shutil.copytree(saved, folder / "1")
    shutil.copytree(second, folder / "2")
    with serve(folder.parent, labels={"small": {"stable": 1, "canary": 2}}) as server:
        yield server


LABELS = [("stable", 1), ("canary", 2)]


@pytest.mark.parametrize(("label", "version"), LABELS)
@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_labels_by_the_client(kind, label, version, labeled):
    with serving.Client(url(labeled, kind)) as client:
        assert scores(client, label=label) == [6 * version, 0]
        assert client.status("small") == {1: "AVAILABLE", 2: "AVAILABLE"}


@pytest.mark.parametrize(("label", "version"), LABELS)
def test_labels_over_rest(label, version, labeled):
    address, path = address_of(labeled), f"/v1/models/small/labels/{label}"
    columns = {name: x.tolist() for name, x in INPUTS.items()}
    _, answer = post(address, f"{path}:predict", {"inputs": columns})
    assert answer["outputs"]["scores"][0] == [6 * version, 3 * version]
    (state,) = get(address, path)[1]["model_version_status"]
    assert (state["version"], state["state"]) == (str(version), "AVAILABLE")
    _, answer = get(address, f"{path}/metadata")
    assert answer["model_spec"]["version"] == str(version)


@pytest.mark.parametrize(("label", "version"), LABELS)
def test_labels_over_grpc(label, version, labeled):
    request = predict_request(INPUTS, label=label)
    status = get_model_status_pb2.GetModelStatusRequest(model_spec=request.model_spec)
    metadata = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=request.model_spec, metadata_field=["signature_def"]
    )
    with Stubs(address_of(labeled)) as stubs:
        response = stubs.predict(request, timeout=20)
        assert response.model_spec.version.value == version
        np.testing.assert_array_equal(
            arrays(response)["scores"][0], [6 * version, 3 * version]
        )
        (state,) = stubs.status(status, timeout=20).model_version_status
        assert state.version == version
        told = stubs.metadata(metadata, timeout=20)
        assert told.model_spec.version.value == version


# What is no TensorFlow Serving


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b"3"])
def test_a_200_that_is_something_else(body):
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            with serving.Client(f"http://127.0.0.1:{other.server_port}") as client:
                for ask in (client.status, client.signatures):
                    with pytest.raises(serving.ServingError, match="but not as Tens"):
                        ask("small")
        finally:
            other.shutdown()
            thread.join()
