"""The local server over REST and gRPC, beside the bare call of what it serves.

    python -m benchmarks.serving

The model is a FusionClassifier of six inputs as wide as those of mfeat, exported as it
would be; without encoders, whose activation ONNX has no operator for. In this process
`servable` runs the SavedModel as the server does, from arrays to arrays, `signature`
calls its signature from `tf.saved_model.load`, from tensors that are there to arrays,
and `ONNX Runtime` is the same model in its own runtime. `REST` and `gRPC` are
`keras-fusion serve` in a process of its own, under load from h2load on loopback, one
request at a time on each connection, for 30 s each. All share the same processors, the
load as well. "over servable" and "over signature" are the median over one connection
less that of the bare call: what the server itself takes, and what it takes more than a
program that loads the model by itself.
"""

import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.load import Load, check_installed, load, summary
from benchmarks.report import main, target

WIDTHS = {"fou": 76, "fac": 216, "kar": 64, "pix": 240, "zer": 47, "mor": 6}
NAME = "digits"
WAYS = ("servable", "signature")  # of TensorFlow to call a SavedModel
BATCHES = (1, 64)
CONNECTIONS = (1, 4)
SECONDS = 30
ADDED_AT_MOST = 1.5  # milliseconds at the median of a gRPC call at batch 1


def measure(arguments) -> list[dict]:
    """The rows; milliseconds are those of one call."""
    check_installed()
    seconds = 1 if arguments.quick else SECONDS
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bare = _in_process(folder, seconds / 5)
        rows = [_row(name, result, {}) for name, result in bare.items()]
        with _Serving(folder / "models") as server:
            for batch in BATCHES:
                for connections in CONNECTIONS[: 1 if arguments.quick else None]:
                    for kind in ("REST", "gRPC"):
                        result = server.load(kind, batch, connections, seconds)
                        case = f"{kind} B={batch} connections={connections}"
                        under = {way: bare[f"{way} B={batch}"] for way in WAYS}
                        compared = under if connections == 1 else {}
                        rows.append(_row(case, result, compared))
    return rows


def _row(case, result: Load, under: dict[str, Load]):
    ratios = {"per second": target(result.per_second)}
    for way, bare in under.items():
        bound = way == "signature" and case.startswith("gRPC B=1 ")
        added = target(result.p50 - bare.p50, at_most=ADDED_AT_MOST if bound else None)
        ratios[f"over {way}, ms"] = added
    return {
        "case": case,
        "ms": {"p50": result.p50, "p99": result.p99},
        "ratios": ratios,
    }


def _in_process(folder, seconds):
    """Exports the model to `models/digits/1`, and calls it without a server."""
    from keras_fusion.export import export
    from keras_fusion.zoo import FusionClassifier

    shapes = {name: (width,) for name, width in WIDTHS.items()}
    model = FusionClassifier(shapes, classes=10, encoder_depth=0)
    version = export(model, folder / "models" / NAME)
    session = _onnx(model, folder / "model.onnx")
    calls = {}
    for batch in BATCHES:
        inputs = _inputs(batch)
        calls[f"servable B={batch}"] = _servable(version, inputs)
        calls[f"signature B={batch}"] = _signature(version, inputs)
        if session:
            run = functools.partial(session.run, None, inputs)
            calls[f"ONNX Runtime B={batch}"] = run
    return {name: _timed(call, seconds) for name, call in calls.items()}


def _inputs(batch):
    rng = np.random.default_rng(0)
    return {n: rng.normal(size=(batch, w)).astype("float32") for n, w in WIDTHS.items()}


def _servable(version, inputs) -> Callable:
    from keras_fusion.serving.server.servable import Servable

    return functools.partial(Servable(version).answer, "serving_default", inputs)


def _signature(version, inputs) -> Callable:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(version))
    function = loaded.signatures["serving_default"]
    tensors = {name: tf.constant(x) for name, x in inputs.items()}

    def call():
        # Holds `loaded` too: the function alone does not keep the weights.
        return [x.numpy() for x in function(**tensors).values()], loaded

    return call


def _onnx(model, file):
    """The model in ONNX Runtime; None where what writes or runs it is missing."""
    try:
        import onnxruntime
        import tf2onnx  # noqa: F401  (Keras writes ONNX by it)
    except ImportError:
        return None
    model.export(str(file), format="onnx", verbose=False)
    return onnxruntime.InferenceSession(str(file))


def _timed(call, seconds) -> Load:
    for _ in range(20):
        call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return summary(times, sum(times) / 1000)


class _Serving:
    """`keras-fusion serve` in a process of its own, and the load on it."""

    def __init__(self, folder: Path):
        command = [sys.executable, "-m", "keras_fusion.cli.main", "serve", str(folder)]
        command += ["--rest-port", "0", "--grpc-port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._scratch = folder.parent
        said = ""
        while "gRPC at" not in said:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError(f"The server did not start and said: {said}")
            said += line
        rest, grpc = re.findall(r"127\.0\.0\.1:\d+", said)
        path = f"/v1/models/{NAME}:predict"
        service = "/tensorflow.serving.PredictionService/Predict"
        self._urls = {"REST": f"http://{rest}{path}", "gRPC": f"http://{grpc}{service}"}
        self._check = f"grpc://{grpc}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.terminate()
        self._process.wait()

    def load(self, kind, batch, connections, seconds) -> Load:
        body = self._scratch / f"{kind}_{batch}"
        body.write_bytes(_grpc_body(batch) if kind == "gRPC" else _rest_body(batch))
        headers = {"content-type": "application/json"}
        if kind == "gRPC":
            headers = {"content-type": "application/grpc", "te": "trailers"}
        self._ask(batch)  # h2load does not read what gRPC says went wrong
        return load(
            self._urls[kind],
            body,
            headers=headers,
            connections=connections,
            seconds=seconds,
            http1=kind == "REST",
        )

    def _ask(self, batch):
        from keras_fusion.serving import Client

        with Client(self._check) as client:
            outputs = client.predict(NAME, _inputs(batch))
            assert all(len(x) == batch for x in outputs.values())


def _rest_body(batch):
    rows = {name: x.tolist() for name, x in _inputs(batch).items()}
    return json.dumps({"inputs": rows}).encode()


def _grpc_body(batch):
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name = NAME
    for name, x in _inputs(batch).items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(x))
    message = request.SerializeToString()
    return b"\0" + len(message).to_bytes(4, "big") + message  # gRPC's frame


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    main("serving", measure, backends=("tensorflow",))
