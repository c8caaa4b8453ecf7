"""The three questions that a server answers, whichever way they arrive."""

import contextlib

import grpc
import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import inference as prediction
from keras_fusion.serving.server.limits import Budget, Limits
from keras_fusion.serving.server.models import Models
from keras_fusion.serving.server.servable import Servable

METADATA = "signature_def"
_OK, _UNKNOWN = grpc.StatusCode.OK.value[0], grpc.StatusCode.UNKNOWN.value[0]
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}  # as TensorFlow's


class Core:
    """Predict, model metadata and model status, by `ModelSpec` as in both APIs.

    Attributes:
        models, limits: As given.
        bodies: The bytes that all requests in hand may have.
    """

    def __init__(self, models: Models, limits: Limits):
        self.models = models
        self.limits = limits
        self.bodies = Budget(limits.bodies, "Requests in hand take all the memory.")

    def servable(self, spec: model_pb2.ModelSpec) -> Servable:
        """The version that a request names.

        Raises:
            ServingError: If there is none.
        """
        return self.models.get(spec.name, *_choice(spec))

    def predict(self, servable, signature, inputs, output_filter=()) -> dict:
        """Arrays by output name.

        Raises:
            ServingError: If the inputs do not fit, or TensorFlow refuses them.
        """
        prediction.check(servable, signature, inputs, output_filter, self.limits)
        with tensorflows_errors():
            outputs = servable.answer(signature, inputs)
        return {name: outputs[name] for name in output_filter or sorted(outputs)}

    def metadata(self, request) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a version, as its SavedModel holds them."""
        if not request.metadata_field:
            raise invalid(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != METADATA:
                raise invalid(f"Metadata field {field} is not supported")
        servable = self.servable(request.model_spec)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        fill_spec(response.model_spec, request.model_spec.name, servable)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(definition)
        packed = any_pb2.Any()
        packed.Pack(signatures)
        response.metadata[METADATA].CopyFrom(packed)
        return response

    def status(self, request) -> get_model_status_pb2.GetModelStatusResponse:
        """The state of all versions of a model, newest first, or of one."""
        spec = request.model_spec
        version, label = _choice(spec)
        if label is not None:
            version = self.models.version_of(spec.name, label)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, state in self.models.states(spec.name, version).items():
            told = response.model_version_status.add(version=number, state=state.name)
            told.status.error_code = _UNKNOWN if state.error else _OK
            told.status.error_message = state.error
        return response


def fill_spec(spec, name: str, servable: Servable, signature: str = "") -> None:
    """Writes which version answered by which signature."""
    spec.name = name
    spec.version.value = servable.version
    spec.signature_name = signature


@contextlib.contextmanager
def tensorflows_errors():
    """Turns what TensorFlow raises into a `ServingError` of the same code."""
    try:
        yield
    except tf.errors.OpError as error:
        raise ServingError(_CODES[error.error_code], error.message) from error
    except (TypeError, ValueError) as error:
        raise invalid(str(error)) from error


def _choice(spec):
    kind = spec.WhichOneof("version_choice")
    version = spec.version.value if kind == "version" else None
    return version, spec.version_label if kind == "version_label" else None
