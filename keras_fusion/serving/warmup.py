"""The first calls of a new version, before anybody waits for one."""

from collections.abc import Iterator

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_fusion.serving import prediction
from keras_fusion.serving.servable import Servable, Signature

FILE = "assets.extra/tf_serving_warmup_requests"
_MOST = 1000  # records, as TensorFlow Serving


def warm(servable: Servable) -> None:
    """Calls every signature, with the version's own requests where it brings some.

    Raises:
        ServingError: If a recorded request is refused, as by TensorFlow Serving.
    """
    for name, inputs in _recorded(servable) or _zeros(servable):
        servable.answer(name, inputs)


def _recorded(servable):
    file = servable.folder / FILE
    if not file.is_file():
        return []
    requests = []
    for record in tf.data.TFRecordDataset(str(file)).take(_MOST).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if log.HasField("predict_log"):
            request = log.predict_log.request
            name = request.model_spec.signature_name or prediction.DEFAULT
            arrays = prediction.arrays_of(request)
            prediction.check(servable, name, arrays)
            requests.append((name, arrays))
    return requests


def _zeros(servable) -> Iterator[tuple[str, dict]]:
    for name, signature in servable.signatures.items():
        if all(spec.shape is not None for spec in signature.inputs.values()):
            yield name, _row_of_zeros(signature)


def _row_of_zeros(signature: Signature):
    return {
        name: tf.zeros([size or 1 for size in shape], dtype).numpy()
        for name, (dtype, shape) in signature.inputs.items()
    }
