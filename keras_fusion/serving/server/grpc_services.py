"""TensorFlow Serving's gRPC services, with its own stubs."""

import concurrent.futures
import contextlib

import grpc
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_fusion.names import DEFAULT
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server.core import Core, check, fill_spec, overdue
from keras_fusion.serving.server.tensors import specs_of, to_array, to_proto


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods say UNIMPLEMENTED."""

    def __init__(self, core: Core):
        self._core = core

    def Predict(self, request, context):  # noqa: N802
        with _answered(request, context), self._core.bodies.taking() as take:
            take(request.ByteSize())
            limits = self._core.limits
            servable = self._core.servable(request.model_spec)
            signature = request.model_spec.signature_name or DEFAULT
            asked = list(request.output_filter)

            def call():
                specs = specs_of(request, limits.body)
                check(servable, signature, specs, asked, limits)
                inputs = {n: to_array(n, x) for n, x in request.inputs.items()}
                return self._core.predict(servable, signature, inputs, asked)

            outputs = self._run(call, context.time_remaining())
            response = predict_pb2.PredictResponse()
            fill_spec(response.model_spec, request.model_spec.name, servable, signature)
            for name, x in outputs.items():
                response.outputs[name].CopyFrom(to_proto(x))
            return response

    def GetModelMetadata(self, request, context):  # noqa: N802
        with _answered(request, context):
            return self._core.metadata(request)

    def _run(self, call, remaining):
        limit = self._core.limits.seconds
        seconds = limit if remaining is None else min(limit, remaining)
        future = self._core.submit(call, seconds)
        try:
            outputs = future.result(seconds)
        except concurrent.futures.TimeoutError:
            future.cancel()
            outputs = overdue()
        if isinstance(outputs, ServingError):
            raise outputs
        return outputs


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; a reload of the configuration says UNIMPLEMENTED."""

    def __init__(self, core: Core):
        self._core = core

    def GetModelStatus(self, request, context):  # noqa: N802
        with _answered(request, context):
            return self._core.status(request)


@contextlib.contextmanager
def _answered(request, context):
    refused = None
    try:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        yield
    except ServingError as error:
        refused = error.code, str(error)
        error.__traceback__ = None  # it holds the request, and the request it
    if refused:
        context.abort(grpc.StatusCode[refused[0]], refused[1])
