"""The client of OpenVINO's Model Server, which speaks TensorFlow Serving's API.

Left out, the version is 0 to it: the newest at its own server, an unknown one here.
"""

import numpy as np
import ovmsclient
import pytest

from tests.serving.saved_model import POSE, RGB


@pytest.fixture(params=["rest", "grpc"])
def client(request, server):
    if request.param == "grpc":
        return ovmsclient.make_grpc_client(server.grpc)
    return ovmsclient.make_http_client(server.rest.split("://")[1])


def test_predict(client):
    outputs = client.predict({"rgb": RGB, "pose": POSE}, "small", 1, timeout=20)
    np.testing.assert_array_equal(outputs["scores"], [[6, 3], [-0.5, 4.25]])


def test_status(client):
    status = client.get_model_status("small", 1, timeout=20)
    assert status[1]["state"] == "AVAILABLE" and status[1]["error_code"] == 0


def test_metadata(client):
    metadata = client.get_model_metadata("small", 1, timeout=20)
    if "model_spec" in metadata:  # over REST it knows its own server's spelling only
        assert metadata["model_spec"]["version"] == "1"
    else:
        assert metadata["model_version"] == 1
        rgb = {"shape": [-1, 3], "dtype": "DT_FLOAT"}
        assert metadata["inputs"]["rgb"] == rgb


def test_errors_are_understood(client):
    with pytest.raises(ovmsclient.ModelNotFoundError):
        client.predict({"rgb": RGB}, "smalls", 1, timeout=20)
    with pytest.raises(ovmsclient.InvalidInputError, match="pose|input size"):
        client.predict({"rgb": RGB}, "small", 1, timeout=20)
