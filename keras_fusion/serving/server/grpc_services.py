"""TensorFlow Serving's gRPC services, with its own stubs."""

import contextlib

import grpc
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import inference as prediction
from keras_fusion.serving.server.core import Core, fill_spec
from keras_fusion.serving.server.runner import Runner
from keras_fusion.serving.server.tensors import to_proto


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the other methods say UNIMPLEMENTED."""

    def __init__(self, core: Core, runner: Runner):
        self._core, self._runner = core, runner

    def Predict(self, request, context):  # noqa: N802
        with _answered(request, context), self._core.bodies.taking() as take:
            take(request.ByteSize())
            servable = self._core.servable(request.model_spec)
            signature = request.model_spec.signature_name or prediction.DEFAULT

            def call():
                inputs = prediction.arrays_of(request, self._core.limits)
                asked = list(request.output_filter)
                return self._core.predict(servable, signature, inputs, asked)

            outputs = self._runner.run(call, context.time_remaining())
            response = predict_pb2.PredictResponse()
            fill_spec(response.model_spec, request.model_spec.name, servable, signature)
            for name, x in outputs.items():
                response.outputs[name].CopyFrom(to_proto(x))
            return response

    def GetModelMetadata(self, request, context):  # noqa: N802
        with _answered(request, context):
            return self._core.metadata(request)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; a reload of the configuration says UNIMPLEMENTED."""

    def __init__(self, core: Core):
        self._core = core

    def GetModelStatus(self, request, context):  # noqa: N802
        with _answered(request, context):
            return self._core.status(request)


@contextlib.contextmanager
def _answered(request, context):
    try:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        yield
    except ServingError as error:
        context.abort(grpc.StatusCode[error.code], str(error))
