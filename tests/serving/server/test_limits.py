"""What one client may ask of the server, and that the others do not notice."""

import gc
import gzip
import time

import grpc
import numpy as np
import pytest

from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.server import grpc_services, json_bodies
from tests.serving.asking import (
    DOUBLE,
    PREDICT,
    Stubs,
    connect,
    head,
    http_ask,
    lives,
    post,
    predict_request,
)
from tests.serving.conftest import TIGHT


def test_a_body_that_is_too_large(tight):
    status, answer = post(tight, PREDICT, b"x" * 100_000)
    assert status == 413
    assert answer["error"] == "The body has more than the 4096 bytes that are taken."
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
    assert code == "INVALID_ARGUMENT" and "over the limit of 4096" in sentence


def test_a_short_message_of_many_empty_texts(tight):
    kinds = {"whole": "int32", "exact": "float64", "flag": "bool"}
    inputs = {name: np.zeros(1, kind) for name, kind in kinds.items()}
    request = predict_request(inputs | {"text": [""], "raw": [""]}, "types")
    request.inputs["text"].tensor_shape.dim[0].size = 100  # 64 bytes each, at least
    with Stubs(tight) as stubs:
        code, sentence = stubs.refusal(stubs.predict, request)
    assert code == "INVALID_ARGUMENT" and "over the limit of 4096" in sentence


def test_rows_are_counted_before_a_message_becomes_arrays(tight, monkeypatch):
    monkeypatch.setattr(grpc_services, "to_array", pytest.fail)
    request = predict_request({"x": np.zeros(9, "float32")}, "double")
    with Stubs(tight) as stubs:
        code, sentence = stubs.refusal(stubs.predict, request)
    assert code == "INVALID_ARGUMENT" and "at most 8" in sentence


def refused():
    """How many refusals are in memory, without the collector's help."""
    return sum(isinstance(x, ServingError) for x in gc.get_objects())


def test_a_refused_prediction_leaves_memory(tight):
    def refuse():
        assert post(tight, PREDICT, DOUBLE | {"inputs": ["x"]})[0] == 400
        assert post(tight, PREDICT, b"x" * 5000)[0] == 413
        assert post(tight, "/v1/models/none:predict", DOUBLE)[0] == 404
        for inputs, name in (({"y": [1.0]}, "double"), ({}, "none")):
            request = predict_request(inputs, name)
            stubs.refusal(stubs.predict, request)

    gc.collect()
    gc.disable()
    try:
        with Stubs(tight) as stubs:
            for _ in range(3):
                refuse()
            time.sleep(0.2)
            before = refused()
            for _ in range(5):
                refuse()
            time.sleep(0.2)
            assert refused() <= before <= 3
    finally:
        gc.enable()


def test_a_batch_that_is_too_large(tight):
    status, answer = post(tight, PREDICT, DOUBLE | {"inputs": [0.5] * 9})
    assert status == 400
    assert "at most 8; received {'x': 9}" in answer["error"]
    assert post(tight, PREDICT, DOUBLE | {"inputs": [0.5] * 8})[0] == 200


def test_time_is_up_over_rest(tight):
    body = {"signature_name": "slow", "inputs": [2.0]}
    start = time.monotonic()
    status, answer = post(tight, PREDICT, body)
    assert status == 504 and "longer than 1.0 s" in answer["error"]
    assert time.monotonic() - start < 1.9
    # by the other worker, whose time a loaded machine may take, too, once
    assert lives(tight) or lives(tight)


def test_time_is_up_over_grpc(tight):
    request = predict_request({"seconds": np.float32([2])}, "slow")
    with Stubs(tight) as stubs:
        with pytest.raises(grpc.RpcError) as e:
            stubs.predict(request, timeout=0.2)
        assert e.value.code().name == "DEADLINE_EXCEEDED"
    time.sleep(2)  # the workers are free again
    assert lives(tight)


def test_a_slow_sender(tight):
    with connect(tight) as s:
        s.sendall(head(10) + b"{")
        assert b"504" in s.recv(4096).splitlines()[0]
    assert lives(tight)


def test_a_sender_that_goes_away(tight):
    with connect(tight) as s:
        s.sendall(head(10) + b"{")
    assert lives(tight)


@pytest.mark.parametrize(
    ("encoding", "status"), [("br", 415), ("gzip", 413)], ids=["unknown", "zip bomb"]
)
def test_compressed_bodies(tight, encoding, status):
    bomb = gzip.compress(bytes(10**7))
    headers = {"Content-Encoding": encoding}
    assert http_ask(tight, "POST", PREDICT, bomb[:4000], headers)[0] == status


def test_nesting_without_end(tight):
    body = '{"inputs":' + "[" * 2000 + "]" * 2000 + "}"
    status, answer = post(tight, PREDICT, body)
    assert status == 400 and answer["error"]


def test_requests_over_their_number_are_refused(tight):
    slow = []
    try:
        for _ in range(TIGHT.connections - 1):
            slow.append(connect(tight))
            slow[-1].sendall(head(10) + b"{")
        time.sleep(0.3)
        assert http_ask(tight, "GET", "/v1/models/small")[0] == 503
    finally:
        for s in slow:
            s.close()
    time.sleep(0.3)
    assert lives(tight)


def test_a_fault_of_the_server_is_logged(local, monkeypatch, caplog):
    def fail(body):
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(json_bodies, "parse", fail)
    assert http_ask(local, "POST", PREDICT, "{}")[0] == 500
    time.sleep(0.2)  # the log is written after the answer
    assert "ZeroDivisionError: by nought" in caplog.text
