"""How long the server waits for a client that does nothing."""

import http.client
import json
import time

import pytest

from keras_fusion.serving.server.limits import Limits
from keras_fusion.serving.server.server import Server
from tests.serving.asking import DOUBLE, PREDICT, Address, connect, head, lives
from tests.serving.conftest import TIGHT

SIZE = 2**24  # more than the buffers between server and client hold


def closed(s):
    """Whether the server closes the connection, whatever it sends before."""
    try:
        while s.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b"POST /v1/models/small", head(10)[:-2]])
def test_silent_clients_lock_nobody_out(tight, sent):
    silent = [connect(tight) for _ in range(3 * TIGHT.connections)]
    try:
        for s in silent:
            s.sendall(sent)
        start = time.monotonic()
        assert lives(tight)
        assert time.monotonic() - start < 1
        assert all(closed(s) for s in silent)
    finally:
        for s in silent:
            s.close()


@pytest.mark.slow
def test_a_connection_may_be_idle_for_a_while(tight):
    connection = http.client.HTTPConnection(tight.rest.split("//")[1], timeout=10)
    for _ in range(6):  # for longer than it could be silent
        time.sleep(0.3)
        connection.request("POST", PREDICT, json.dumps(DOUBLE))
        assert connection.getresponse().read() == b'{"outputs": [3.0]}'
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])  # the second waits for the first to be read
def test_who_does_not_read_is_let_go(times, saved):
    limits = Limits(seconds=2.0)
    options = {"rest_port": 0, "grpc_port": 0, "limits": limits, "say": lambda _: None}
    row = {"whole": 1, "exact": 1, "text": "x" * SIZE, "raw": "", "flag": True}
    body = json.dumps({"signature_name": "types", "instances": [row]}).encode()
    with Server(saved.parents[1], **options) as server:
        address = Address(f"http://127.0.0.1:{server.rest_port}", "")
        with connect(address, buffer=4096) as s:
            s.sendall(times * (head(len(body)) + body))
            time.sleep(4)
            read = b"".join(iter(lambda: s.recv(2**20), b""))
        assert read.startswith(b"HTTP/1.1 200 OK") and len(read) < SIZE
        assert lives(address)
