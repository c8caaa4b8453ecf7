"""The first calls of a new version, before anybody waits for one."""

from collections.abc import Callable

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_fusion.errors import InputError
from keras_fusion.names import DEFAULT
from keras_fusion.serving.server.servable import Servable, Signature
from keras_fusion.serving.server.tensors import to_array

FILE = "assets.extra/tf_serving_warmup_requests"
_MOST = 1000  # records, as TensorFlow Serving


def warm(servable: Servable, say: Callable[[str], None] = print) -> None:
    """Calls every signature, with the version's own requests where it brings some.

    Zeros are only tried: where a signature does not take them, `say` is told.

    Raises:
        ValueError: If a recorded request asks for a signature that is not there.
        Exception: Whatever TensorFlow raises of a recorded request.
    """
    recorded = _recorded(servable)
    for name, inputs in recorded:
        servable.answer(name, inputs)
    for name, signature in () if recorded else servable.signatures.items():
        try:
            servable.answer(name, _row_of_zeros(signature))
        except Exception as error:  # TensorFlow raises many kinds
            reason = " ".join(str(error).split())[:300]
            say(f"{servable.folder}: {name} was not warmed by zeros: {reason}")


def _recorded(servable):
    file = servable.folder / FILE
    if not file.is_file():
        return []
    requests = []
    for record in tf.data.TFRecordDataset(str(file)).take(_MOST).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if log.HasField("predict_log"):
            request = log.predict_log.request
            name = request.model_spec.signature_name or DEFAULT
            if name not in servable.signatures:
                raise InputError(f'Its warm-up asks for a signature "{name}".')
            inputs = {n: to_array(n, proto) for n, proto in request.inputs.items()}
            requests.append((name, inputs))
    return requests


def _row_of_zeros(signature: Signature):
    return {
        name: tf.zeros([size or 1 for size in shape], dtype).numpy()
        for name, (dtype, shape) in signature.inputs.items()
    }
