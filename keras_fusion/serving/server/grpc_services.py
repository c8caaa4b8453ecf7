"""TensorFlow Serving's gRPC services, with its own stubs."""

import functools

import grpc
from google.protobuf import any_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_fusion.common.names import DEFAULT
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server.models import Models
from keras_fusion.serving.server.servable import Limits, Servable
from keras_fusion.serving.server.tensors import spec_of, to_array, to_proto

METADATA = "signature_def"
_OK, _UNKNOWN = grpc.StatusCode.OK.value[0], grpc.StatusCode.UNKNOWN.value[0]


def _answering(method):
    @functools.wraps(method)
    def answer(self, request, context):
        try:
            if not request.HasField("model_spec"):
                raise invalid("Missing ModelSpec")
            return method(self, request)
        except ServingError as error:
            context.abort(grpc.StatusCode[error.code], str(error))

    return answer


class Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Predict, GetModelMetadata and GetModelStatus; the rest say UNIMPLEMENTED."""

    def __init__(self, models: Models, limits: Limits):
        self._models, self._limits = models, limits

    @_answering
    def Predict(self, request):  # noqa: N802
        servable = servable_of(self._models, request.model_spec)
        signature = request.model_spec.signature_name or DEFAULT
        given = {name: spec_of(name, x) for name, x in request.inputs.items()}
        servable.check(signature, given, self._limits)
        inputs = {name: to_array(name, x) for name, x in request.inputs.items()}
        outputs = servable.answer(signature, inputs)
        asked = list(request.output_filter) or list(outputs)
        if not set(asked) <= outputs.keys() or len(set(asked)) < len(asked):
            raise invalid(f"Expected each once of {list(outputs)}; received {asked}.")
        return predict_pb2.PredictResponse(
            model_spec=_answered_by(servable, request, signature),
            outputs={name: to_proto(outputs[name]) for name in asked},
        )

    @_answering
    def GetModelMetadata(self, request):  # noqa: N802
        return metadata(self._models, request)

    @_answering
    def GetModelStatus(self, request):  # noqa: N802
        return status(self._models, request)


def servable_of(models: Models, spec: model_pb2.ModelSpec) -> Servable:
    """The version that a request names.

    Raises:
        ServingError: If there is none.
    """
    return models.get(spec.name, *_choice(spec))


def metadata(
    models: Models, request
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a version, as its SavedModel holds them."""
    if list(request.metadata_field) != [METADATA]:
        raise invalid(f"Expected the metadata field {METADATA} alone.")
    servable = servable_of(models, request.model_spec)
    packed = any_pb2.Any()
    packed.Pack(
        get_model_metadata_pb2.SignatureDefMap(signature_def=servable.definitions)
    )
    return get_model_metadata_pb2.GetModelMetadataResponse(
        model_spec=_answered_by(servable, request), metadata={METADATA: packed}
    )


def status(models: Models, request) -> get_model_status_pb2.GetModelStatusResponse:
    """The state of all versions of a model, newest first, or of one."""
    response = get_model_status_pb2.GetModelStatusResponse()
    spec = request.model_spec
    for number, found in models.states(spec.name, *_choice(spec)).items():
        told = response.model_version_status.add(version=number, state=found.state)
        told.status.error_code = _UNKNOWN if found.error else _OK
        told.status.error_message = found.error
    return response


def _answered_by(servable, request, signature=""):
    spec = model_pb2.ModelSpec(name=request.model_spec.name, signature_name=signature)
    spec.version.value = servable.version
    return spec


def _choice(spec):
    kind = spec.WhichOneof("version_choice")
    version = spec.version.value if kind == "version" else None
    return version, spec.version_label if kind == "version_label" else None
