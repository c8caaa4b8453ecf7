"""The local server under load, under change and under nonsense; it always lives."""

import concurrent.futures
import contextlib
import json
import shutil
import threading
import time

import hypothesis
import numpy as np
import pytest

from keras_fusion import serving
from keras_fusion.serving.server.servable import USUAL
from keras_fusion.serving.server.server import Server
from tests.serving.asking import (
    DOUBLE,
    PREDICT,
    Address,
    Stubs,
    connect,
    head,
    http_ask,
    post,
    predict_request,
)
from tests.serving.saved_model import POSE, RGB, save
from tests.soak import bodies

pytestmark = pytest.mark.soak

REQUESTS, SWAPS, CASES, CONNECTIONS, MIXED = 10_000, 20, 2_000, 200, 20_000
LONG = 2**24  # bytes, more than the buffers between server and client hold


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save(tmp_path_factory.mktemp("saved") / "small" / "1")


@pytest.fixture
def running(saved, tmp_path):
    """A server of a copy that a test may change, and its address."""
    shutil.copytree(saved, tmp_path / "small" / "1")
    options = {"rest_port": 0, "grpc_port": 0, "poll_seconds": 0.1}
    with Server(tmp_path, say=lambda _: None, **options) as s:
        address = Address(f"http://127.0.0.1:{s.rest_port}", f"127.0.0.1:{s.grpc_port}")
        yield s, address
        assert post(address, PREDICT, DOUBLE) == (200, {"outputs": [3.0]})


def test_no_request_fails_while_versions_change(running, saved, tmp_path):
    server, address = running
    done = threading.Event()

    def ask(url, count):
        with serving.Client(url, timeout=60) as client:
            for i in range(count):
                scores = client.predict("small", {"rgb": RGB * i, "pose": POSE})
                np.testing.assert_allclose(scores["scores"][0], [6 * i, 3])
        return count

    def swap():
        for version in range(2, SWAPS + 2):
            beside = shutil.copytree(saved, tmp_path / "beside")
            beside.rename(tmp_path / "small" / str(version))
            while server.models.get("small").version != version:
                time.sleep(0.05)
            if version > 3:
                shutil.rmtree(tmp_path / "small" / str(version - 2))
        done.set()

    urls = [address.rest, f"grpc://{address.grpc}"] * 2
    with concurrent.futures.ThreadPoolExecutor(len(urls) + 1) as pool:
        swapping = pool.submit(swap)
        asked = 0
        while asked < REQUESTS or not done.is_set():  # to the last swap
            counts = pool.map(ask, urls, [REQUESTS // 20] * len(urls))
            asked += sum(counts)
            if swapping.done():
                swapping.result()
    assert asked >= REQUESTS
    assert server.models.get("small").version == SWAPS + 1


def test_200_connections_at_once(running):
    _, address = running
    request = json.dumps(DOUBLE).encode()
    with contextlib.ExitStack() as stack:
        asking = [stack.enter_context(connect(address)) for _ in range(CONNECTIONS)]
        for s in asking:  # all are open, and none has said what it wants
            s.sendall(head(len(request)) + request)
        for s in asking:
            received = b""
            while not received.endswith(b"}"):
                received += s.recv(4096)
            assert received.endswith(b'\r\n\r\n{"outputs": [3.0]}')

        stubs = [stack.enter_context(Stubs(address)) for _ in range(CONNECTIONS)]
        for s in stubs:
            s.connect(60)
        requests = [
            predict_request({"x": np.float32([i])}, "double")
            for i in range(CONNECTIONS)
        ]
        asked = [s.predict.future(r, timeout=60) for s, r in zip(stubs, requests)]
        answers = [future.result().outputs["doubled"].float_val[0] for future in asked]
    assert answers == [2.0 * i for i in range(CONNECTIONS)]


def test_slow_readers_hold_nobody_up(running):
    _, address = running
    row = {"whole": 1, "exact": 1, "text": "x" * LONG, "raw": "", "flag": True}
    body = json.dumps({"signature_name": "types", "instances": [row]}).encode()
    with contextlib.ExitStack() as stack:
        readers = [
            stack.enter_context(connect(address, buffer=1024)) for _ in range(10)
        ]
        for reader in readers:
            reader.sendall(head(len(body)) + body)
        for reader in readers:
            assert reader.recv(12) == b"HTTP/1.1 200"  # and reads no more of it
        start = time.monotonic()
        for _ in range(20):
            assert post(address, PREDICT, DOUBLE)[0] == 200
        assert time.monotonic() - start < 20


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_a_stop_waits_as_long_as_a_request_may_take(saved, kind):
    slow, answers = 0.6 * USUAL.seconds, []
    with Server(saved.parents[1], rest_port=0, grpc_port=0, say=lambda _: None) as s:
        url = {"rest": f"http://127.0.0.1:{s.rest_port}"}
        url["grpc"] = f"grpc://127.0.0.1:{s.grpc_port}"

        def ask():
            with serving.Client(url[kind], timeout=60) as client:
                x = {"seconds": np.float32([slow])}
                answers.append(client.predict("small", x, signature="slow"))

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(1)
    thread.join()
    assert answers[0]["steps"][0] > 0


def test_a_huge_body_takes_no_memory(running):
    _, address = running
    size, chunk = 2**30, b" " * 2**20
    before = resident()
    with connect(address) as s:
        s.sendall(head(size))
        for _ in range(size // len(chunk)):
            s.sendall(chunk)
        answer = s.recv(4096)
    assert b" 413 " in answer.splitlines()[0]
    # Up to the limit of 64 MiB is kept, until the rest shows that it is too large.
    assert resident() - before < 200 * 2**20


def resident():
    """Bytes of memory that this process, so the server, has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_generated_bodies(running):
    _, address = running
    statuses = []

    @hypothesis.settings(max_examples=CASES, deadline=None, database=None)
    @hypothesis.given(body=bodies.any_body)
    def ask(body):
        sent = body if isinstance(body, bytes) else json.dumps(body)
        status, kind, text = http_ask(address, "POST", PREDICT, sent)
        assert kind == "application/json" and status in (200, 400), text
        answer = json.loads(text)  # NaN and Infinity are read by this too
        if status == 200:
            assert answer.keys() <= {"outputs", "predictions"}
        else:
            assert answer.keys() == {"error"} and answer["error"]
            assert len(answer["error"]) < 1000
        statuses.append(status)

    ask()
    assert len(statuses) >= CASES
    assert statuses.count(200) > CASES // 20 and statuses.count(400) > CASES // 20


MALFORMED = {
    "malformed JSON": ('{"inputs": ', "JSON Parse error"),
    "NaN as null": (
        '{"signature_name": "double", "inputs": [null]}',
        "the bare word NaN",
    ),
    "wrong dtype": ('{"signature_name": "double", "inputs": ["1"]}', "float32"),
    "missing input": ('{"inputs": {"rgb": [[1, 2, 3]]}}', "Missing inputs: pose"),
    "extra input": (
        '{"instances": [{"rgb": [1, 2, 3], "pose": [1, 2], "audio": [1]}]}',
        "Expected objects with the keys ['pose', 'rgb']",
    ),
    "empty batch": ('{"instances": []}', "at least one row"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_thousand_times_the_right_error(running, case):
    _, address = running
    body, sentence = MALFORMED[case]
    for _ in range(1000):
        status, answer = post(address, PREDICT, body)
        assert status == 400 and sentence in answer["error"]


def test_memory_is_flat_after_good_and_bad_requests(running):
    _, address = running
    good = json.dumps(DOUBLE | {"inputs": [0.5] * 1000})
    bad = json.dumps(DOUBLE | {"inputs": [0.5] * 20_000})  # rows

    def ask(times):
        with Stubs(address) as stubs:
            x = predict_request({"x": np.zeros(20_000, "float32")}, "double")
            for _ in range(times // 4):
                assert post(address, PREDICT, good)[0] == 200
                assert post(address, PREDICT, bad)[0] == 400
                assert post(address, PREDICT, bad[:-1])[0] == 400
                assert stubs.refusal(stubs.predict, x)[0] == "INVALID_ARGUMENT"

    ask(MIXED // 10)
    before = resident()
    ask(MIXED)
    assert resident() - before < 64 * 2**20
