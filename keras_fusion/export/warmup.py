"""Requests that TensorFlow Serving answers to itself before it takes others."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from keras_fusion.export.reading import Arrays, require

WARMUP = Path("assets.extra", "tf_serving_warmup_requests")


def check_installed() -> None:
    """Raises an ImportError that says what to install."""
    require(
        "tensorflow_serving", "Warm-up requests are TensorFlow Serving's", "serving"
    )


def write(
    file: Path, name: str, requests: dict[str, Arrays], batches: Sequence[int]
) -> None:
    """Writes one predict request for every signature and batch size.

    Args:
        file: TFRecords of `PredictionLog`.
        name: The model's name on the server.
        requests: Inputs by signature; their rows are repeated to fill a batch.
        batches: Batch sizes.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature, inputs, rows in _each(requests, batches):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key, x in inputs.items():
                batch = np.resize(x, (rows, *x.shape[1:]))  # repeats what there is
                request.inputs[key].CopyFrom(tf.make_tensor_proto(batch))
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString())


def read(file: Path) -> Iterable[tuple[str, Arrays]]:
    """The signature and the inputs of every request in a warm-up file."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(x) for name, x in request.inputs.items()}
        yield request.model_spec.signature_name, inputs


def _each(requests, batches):
    for rows in batches:
        for signature, inputs in requests.items():
            yield signature, inputs, rows
