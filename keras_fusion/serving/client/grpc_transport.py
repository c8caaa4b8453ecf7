"""TensorFlow Serving over gRPC, by the stubs of tensorflow-serving-api."""

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_fusion.serving.description import Described, Target
from keras_fusion.serving.errors import ServingError

_UNLIMITED = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]


class GrpcTransport:
    """One server by protocol buffers; the methods are those of `RestTransport`."""

    def __init__(self, address: str, timeout: float):
        self._timeout = timeout
        self._channel = grpc.insecure_channel(address, options=_UNLIMITED)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(
            self._channel
        )
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        target: Target,
        signature: str,
        inputs: dict[str, np.ndarray],
        description: Described,
    ) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest(model_spec=_spec(target))
        request.model_spec.signature_name = signature
        for name, x in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(x))
        response = self._ask(self._predictions.Predict, request)
        return {name: tf.make_ndarray(x) for name, x in response.outputs.items()}

    def metadata(self, target: Target) -> tuple[int, dict]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(target), metadata_field=["signature_def"]
        )
        response = self._ask(self._predictions.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        told = json_format.MessageToDict(signatures, preserving_proto_field_name=True)
        return response.model_spec.version.value, told

    def status(self, target: Target) -> dict[int, str]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(target))
        response = self._ask(self._models.GetModelStatus, request)
        states = get_model_status_pb2.ModelVersionStatus.State
        return {
            status.version: states.Name(status.state)
            for status in response.model_version_status
        }

    def close(self) -> None:
        self._channel.close()

    def _ask(self, method, request):
        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise ServingError(error.code().name, error.details()) from error


def _spec(target):
    spec = model_pb2.ModelSpec(name=target.model)
    if target.version is not None:
        spec.version.value = target.version
    if target.label is not None:
        spec.version_label = target.label
    return spec
