"""The local server under load, under change and under nonsense; it always lives."""

import concurrent.futures
import json
import shutil
import socket
import threading
import time

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from keras_fusion import serving
from keras_fusion.serving.server import Server
from tests.serving.asking import Address, Stubs, http_ask, post, predict_request
from tests.serving.saved_model import POSE, RGB, save

pytestmark = pytest.mark.soak

REQUESTS, SWAPS, CASES, CONNECTIONS = 10_000, 20, 2_000, 200
PREDICT = "/v1/models/small:predict"
DOUBLE = {"signature_name": "double", "inputs": [1.5]}


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
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        rest = pool.map(
            lambda i: post(address, PREDICT, DOUBLE | {"inputs": [i]}),
            range(CONNECTIONS),
        )
        assert list(rest) == [(200, {"outputs": [2.0 * i]}) for i in range(CONNECTIONS)]

        def ask(i):
            with Stubs(address) as stubs:
                request = predict_request({"x": np.float32([i])}, "double")
                outputs = stubs.predict(request, timeout=60).outputs
                return outputs["doubled"].float_val[0]

        answers = list(pool.map(ask, range(CONNECTIONS)))
    assert answers == [2.0 * i for i in range(CONNECTIONS)]


def test_slow_readers_hold_nobody_up(running):
    _, address = running
    host, port = address.rest.split("//")[1].split(":")
    body = json.dumps(DOUBLE | {"inputs": [1.5] * 1024}).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    readers = [socket.create_connection((host, int(port))) for _ in range(50)]
    try:
        for reader in readers:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            reader.sendall(head.encode() + body)  # and reads nothing
        start = time.monotonic()
        for _ in range(20):
            assert post(address, PREDICT, DOUBLE)[0] == 200
        assert time.monotonic() - start < 20
    finally:
        for reader in readers:
            reader.close()


def test_a_huge_body_takes_no_memory(running):
    _, address = running
    size, chunk = 2**30, b" " * 2**20
    host, port = address.rest.split("//")[1].split(":")
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    before = resident()
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(head.encode())
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


# What a body may look like, from nearly right to anything.
numbers = st.one_of(st.floats(width=32), st.integers(-(2**70), 2**70), st.floats())
leaves = st.one_of(numbers, st.booleans(), st.none(), st.text(max_size=5))
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4), max_leaves=12)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)
right = st.integers(1, 5).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            name: st.lists(
                st.lists(st.floats(width=32), min_size=width, max_size=width),
                min_size=rows,
                max_size=rows,
            )
            for name, width in (("rgb", 3), ("pose", 2))
        }
    )
)
names = st.sampled_from(["rgb", "pose", "modality_mask", "audio", "b64", ""])
columns = right | st.dictionaries(names, values, max_size=3) | values
rows = st.lists(st.dictionaries(names, values, max_size=3) | values, max_size=3)
signatures = st.sampled_from(["serving_default", "serving_masked", "double", "types"])
requests = st.fixed_dictionaries(
    {},
    optional={
        "inputs": columns,
        "instances": rows,
        "signature_name": signatures | anything,
        "other": anything,
    },
)
bodies = (
    st.fixed_dictionaries({"inputs": right})
    | requests
    | anything
    | st.binary(max_size=40)
)


def test_generated_bodies(running):
    _, address = running
    statuses = []

    @hypothesis.settings(max_examples=CASES, deadline=None, database=None)
    @hypothesis.given(body=bodies)
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
        "JSON has no NaN",
    ),
    "wrong dtype": ('{"signature_name": "double", "inputs": ["1"]}', "type: float"),
    "missing input": ('{"inputs": {"rgb": [[1, 2, 3]]}}', "Missing named input: pose"),
    "extra input": (
        '{"instances": [{"rgb": [1, 2, 3], "pose": [1, 2], "audio": [1]}]}',
        "does not have named input: audio",
    ),
    "empty batch": ('{"instances": []}', "No values in 'instances' array"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_thousand_times_the_right_error(running, case):
    _, address = running
    body, sentence = MALFORMED[case]
    for _ in range(1000):
        status, answer = post(address, PREDICT, body)
        assert status == 400 and sentence in answer["error"]
