"""Asks a server by raw HTTP and by the stubs of tensorflow-serving-api."""

import http.client
import json
import socket
from typing import NamedTuple

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

PREDICT = "/v1/models/small:predict"
DOUBLE = {"signature_name": "double", "inputs": [1.5]}


class Address(NamedTuple):
    """Where a server listens: `http://host:port` and `host:port`."""

    rest: str
    grpc: str


def http_ask(server, method, path, body=None, headers=None):
    """Status, content type and text of one HTTP request."""
    connection = http.client.HTTPConnection(server.rest.split("://")[1], timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()
    finally:
        connection.close()


def get(server, path):
    """Status and JSON of a GET."""
    status, kind, text = http_ask(server, "GET", path)
    assert kind == "application/json"
    return status, json.loads(text)


def post(server, path, body):
    """Status and JSON of a POST; a body that is no text is written as JSON."""
    body = body if isinstance(body, str | bytes) else json.dumps(body)
    status, kind, text = http_ask(server, "POST", path, body)
    assert kind == "application/json"
    return status, json.loads(text)


def lives(server):
    """Whether it answers."""
    return post(server, PREDICT, DOUBLE) == (200, {"outputs": [3.0]})


def connect(server, buffer=None):
    """A socket of its REST port, that takes in so many bytes unread."""
    host, port = server.rest.split("//")[1].split(":")
    s = socket.socket()
    if buffer:  # which must be said before
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    s.settimeout(60)
    s.connect((host, int(port)))
    return s


def head(size):
    """What comes before a body of so many bytes."""
    lines = (
        f"POST {PREDICT} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {size}",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def predict_request(inputs, signature="", model="small", version=None, label=None):
    """A `PredictRequest`."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    for name, x in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(x))
    return request


class Stubs:
    """Both services at one address; a context manager."""

    def __init__(self, server):
        # A connection of its own: channels to one address else share one.
        own = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(server.grpc, options=own)
        service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self.predict = service.Predict
        self.metadata = service.GetModelMetadata
        self.classify = service.Classify
        self.status = models.GetModelStatus

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._channel.close()

    def connect(self, seconds):
        """Waits until there is a connection."""
        grpc.channel_ready_future(self._channel).result(seconds)

    def refusal(self, method, request):
        """Code and sentence of what must be refused."""
        try:
            method(request, timeout=20)
        except grpc.RpcError as error:
            return error.code().name, error.details()
        raise AssertionError("this was answered")


def arrays(response):
    """The outputs of a `PredictResponse`."""
    return {name: tf.make_ndarray(x) for name, x in response.outputs.items()}


def nested(x):
    """An array as JSON has it."""
    return np.asarray(x).tolist()
