"""The server as a process: ports, the command line, changes of its folder."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from keras_fusion.serving import Client
from keras_fusion.serving.server.servable import Limits
from keras_fusion.serving.server.server import Server, listen
from tests.cli.running import run
from tests.serving.asking import DOUBLE, PREDICT, Address, get, http_ask


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


def test_the_poll_outlives_what_goes_wrong(saved):
    said, wrong = [], [OSError("Too many open files"), RuntimeError("a bug")] * 2
    options = {"rest_port": 0, "grpc_port": 0, "poll_seconds": 0.01}
    with Server(saved.parents[1], say=said.append, **options) as server:

        def refresh():
            if wrong:
                raise wrong.pop()

        server.models.refresh = refresh
        deadline = time.monotonic() + 10
        while wrong:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert said[1:] == ["a bug", "Too many open files"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "number"), [("127.0.0.1", signal.SIGTERM), ("::1", signal.SIGINT)]
)
def test_ctrl_c_and_sigterm_end_the_command_cleanly(host, number, saved):
    if ":" in host and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    command = [sys.executable, "-m", "keras_fusion.cli.main", "serve", saved.parents[1]]
    command += ["--rest-port", "0", "--grpc-port", "0", "--host", host]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    lines = [process.stdout.readline() for _ in range(3)]
    rest = re.search(r"http://[^/]+", lines[1])[0]
    grpc = re.search(r"gRPC at (\S+);", lines[2])[1]
    for url in (rest, f"grpc://{grpc}"):
        with Client(url) as client:
            assert client.status("small") == {1: "AVAILABLE"}
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "stopped\n")
    assert "Traceback" not in err


def has_ipv6():
    try:
        listen("::1", 0).close()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("serve nowhere", "There is no folder nowhere."),
        ("serve .", "holds no model that can be loaded: expected .*export"),
        ("serve . --label a=1", "takes MODEL:LABEL=VERSION"),
        ("serve . --seconds 0", "--seconds must be more than 0; received 0.0."),
    ],
)
def test_bad_input_is_one_sentence(command, sentence, saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    options = "--rest-port", 0, "--grpc-port", 0
    status, out, err = run(*command.split(), *options)
    assert status == 2 and err.count("\n") == 1 and re.search(sentence, err), err


def test_limits_by_the_command(monkeypatch, tmp_path):
    limits = []

    def start(folder, **options):
        limits.append(options["limits"])
        raise ValueError("enough")

    monkeypatch.setattr("keras_fusion.serving.server.server.Server", start)
    run("serve", tmp_path, "--batch", 7, "--seconds", 2.5)
    run("serve", tmp_path, "--body", 1000)
    assert limits == [Limits(batch=7, seconds=2.5), Limits(body=1000)]


def test_without_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "keras_fusion.serving.server.server")
    status, _, err = run("serve", tmp_path)
    assert status == 2 and 'pip install "keras-fusion[tensorflow,serving]"' in err
