"""The server as a process: ports, limits, the command line."""

import http.client
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import grpc
import numpy as np
import pytest
import requests

from keras_fusion.serving.limits import Limits
from keras_fusion.serving.server import Server, listen
from tests.cli.running import run
from tests.serving.asking import Address, Stubs, get, http_ask, post, predict_request

TIGHT = Limits(body=4096, batch=8, seconds=1.0, workers=2, connections=16)
DOUBLE = {"signature_name": "double", "inputs": [1.5]}
PREDICT = "/v1/models/small:predict"


@pytest.fixture(scope="module")
def tight(saved):
    """A server with limits that are easily reached."""
    options = {"rest_port": 0, "grpc_port": 0, "limits": TIGHT}
    with Server(saved.parents[1], say=lambda _: None, **options) as s:
        yield Address(f"http://127.0.0.1:{s.rest_port}", f"127.0.0.1:{s.grpc_port}")


def lives(server):
    return post(server, PREDICT, DOUBLE) == (200, {"outputs": [3.0]})


# Limits


def test_a_body_that_is_too_large(tight):
    status, answer = post(tight, PREDICT, b"x" * 100_000)
    assert status == 413
    assert (
        answer["error"] == "The body has 100000 bytes, more than the 4096 that are "
        "taken."
    )
    assert lives(tight)


def test_a_message_that_is_too_large(tight):
    x = np.zeros(10_000, "float32")
    with Stubs(tight) as stubs:
        code, _ = stubs.refusal(stubs.predict, predict_request({"x": x}, "double"))
    assert code == "RESOURCE_EXHAUSTED" and lives(tight)


def test_a_short_message_that_asks_for_a_huge_array(tight):
    request = predict_request({"x": np.float32([1])}, "double")
    request.inputs["x"].tensor_shape.dim[0].size = 2**40
    with Stubs(tight) as stubs:
        code, sentence = stubs.refusal(stubs.predict, request)
    assert code == "INVALID_ARGUMENT" and "over the limit of 4096 bytes" in sentence


def test_a_batch_that_is_too_large(tight):
    status, answer = post(tight, PREDICT, DOUBLE | {"inputs": [0.5] * 9})
    assert status == 400
    assert answer["error"] == ("Task size 9 is larger than maximum input batch size 8.")
    assert post(tight, PREDICT, DOUBLE | {"inputs": [0.5] * 8})[0] == 200


def test_time_is_up_over_rest(tight):
    body = {"signature_name": "slow", "inputs": [2.0]}
    start = time.monotonic()
    status, answer = post(tight, PREDICT, body)
    assert status == 504 and "longer than its time" in answer["error"]
    assert time.monotonic() - start < 1.9
    assert lives(tight)  # by the other worker


def test_time_is_up_over_grpc(tight):
    request = predict_request({"seconds": np.float32([2])}, "slow")
    with Stubs(tight) as stubs:
        code, _ = stubs.refusal(stubs.predict, request)
        assert code == "DEADLINE_EXCEEDED"
        with pytest.raises(grpc.RpcError) as e:
            stubs.predict(request, timeout=0.2)  # the client's own limit
        assert e.value.code().name == "DEADLINE_EXCEEDED"
    time.sleep(2)  # the workers are free again
    assert lives(tight)


def test_a_slow_sender(tight):
    host, port = tight.rest.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as s:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
        s.sendall(head.encode() + b"{")
        assert b"504" in s.recv(4096).splitlines()[0]
    assert lives(tight)


def test_a_sender_that_goes_away(tight):
    host, port = tight.rest.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as s:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
        s.sendall(head.encode() + b"{")
    assert lives(tight)


def test_compressed_bodies(tight):
    connection = http.client.HTTPConnection(tight.rest.split("//")[1], timeout=10)
    connection.request("POST", PREDICT, b"\x1f\x8b", {"Content-Encoding": "gzip"})
    answer = connection.getresponse()
    assert answer.status == 415 and b"compressed" in answer.read()
    connection.close()


def test_nesting_without_end(tight):
    body = '{"inputs":' + "[" * 2000 + "]" * 2000 + "}"
    status, answer = post(tight, PREDICT, body)
    assert status == 400 and answer["error"]


def test_one_connection_carries_many_requests(local):
    with requests.Session() as session:
        for _ in range(3):
            answer = session.post(f"{local.rest}{PREDICT}", json=DOUBLE)
            assert answer.json() == {"outputs": [3.0]}


# Ports and processes


def test_ports_in_use(saved):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for ports in ({"rest_port": port}, {"grpc_port": port}):
            with pytest.raises(ValueError, match=f"Port {port} on 127.0.0.1 is in use"):
                options = {"rest_port": 0, "grpc_port": 0} | ports
                Server(saved.parents[1], say=lambda _: None, **options).__enter__()


def test_two_servers_never_share_a_port(saved, local):
    port = int(local.grpc.split(":")[1])
    with pytest.raises(ValueError, match=f"Port {port} on 127.0.0.1 is in use"):
        Server(saved.parents[1], rest_port=0, grpc_port=port).__enter__()


def test_nobody_joins_a_port_later(local):
    port = int(local.grpc.split(":")[1])
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            s.bind(("127.0.0.1", port))


def test_small_answers_are_sent_at_once():
    # What asyncio asks before it sets TCP_NODELAY; it took 40 ms without.
    with listen("127.0.0.1", 0) as s:
        assert s.proto == socket.IPPROTO_TCP


def test_a_server_that_has_stopped_leaves_its_ports(saved, free_port):
    for _ in range(2):
        options = {"rest_port": free_port, "grpc_port": 0, "say": lambda _: None}
        with Server(saved.parents[1], **options) as server:
            address = Address(f"http://127.0.0.1:{free_port}", "")
            assert get(address, "/v1/models/small")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        get(address, "/v1/models/small")
    assert server.grpc_port


def test_requests_in_flight_are_finished_when_it_stops(saved):
    answers = []
    body = '{"signature_name": "slow", "inputs": [1.0]}'
    options = {"rest_port": 0, "grpc_port": 0, "say": lambda _: None}
    with Server(saved.parents[1], **options) as server:
        address = Address(f"http://127.0.0.1:{server.rest_port}", "")
        thread = threading.Thread(
            target=lambda: answers.append(http_ask(address, "POST", PREDICT, body)[0])
        )
        thread.start()
        time.sleep(0.4)
    thread.join()
    assert answers == [200]


def test_a_new_version_is_found_by_itself(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "small" / "1")
    said, options = [], {"rest_port": 0, "grpc_port": 0, "poll_seconds": 0.05}
    with Server(tmp_path, say=said.append, **options) as server:
        shutil.copytree(saved, tmp_path / "small" / "beside")
        (tmp_path / "small" / "beside").rename(tmp_path / "small" / "2")
        deadline = time.monotonic() + 30
        while server.models.get("small").version != 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shutil.rmtree(tmp_path)
        while not any("There is no folder" in text for text in said):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.slow
def test_ctrl_c_ends_the_command_cleanly(saved):
    command = [sys.executable, "-m", "keras_fusion.cli", "serve", saved.parents[1]]
    command += ["--rest-port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines = [process.stdout.readline() for _ in range(3)]
    rest = re.search(r"http://([\d.:]+)/", lines[1])[1]
    assert get(Address(f"http://{rest}", ""), "/v1/models/small")[0] == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "stopped\n")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("serve nowhere", "There is no folder nowhere."),
        ("serve .", "holds no model that can be loaded: expected .*export"),
        ("serve . --label a=1", "takes MODEL:LABEL=VERSION"),
    ],
)
def test_bad_input_is_one_sentence(command, sentence, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    options = "--rest-port", 0, "--grpc-port", 0
    status, out, err = run(*command.split(), *options)
    assert status == 2 and err.count("\n") == 1 and re.search(sentence, err), err


def test_without_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "keras_fusion.serving.server")
    status, _, err = run("serve", tmp_path)
    assert status == 2 and 'pip install "keras-fusion[tensorflow,serving]"' in err
