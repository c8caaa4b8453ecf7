"""The three questions that a server answers, whichever way they arrive."""

import concurrent.futures
import math
import time
from collections.abc import Callable

import grpc
import tensorflow as tf
from google.protobuf import any_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from keras_fusion.names import EDGES
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server.limits import USUAL, Budget, Limits
from keras_fusion.serving.server.models import Models
from keras_fusion.serving.server.servable import Servable, Spec

METADATA = "signature_def"
_OK, _UNKNOWN = grpc.StatusCode.OK.value[0], grpc.StatusCode.UNKNOWN.value[0]
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}  # as TensorFlow's


class Core:
    """Predict, model metadata and model status, by `ModelSpec` as in both APIs.

    TensorFlow cannot be interrupted from Python: a call that is under way when its time
    is over goes on, occupying its thread, while its client has the error.

    Attributes:
        models, limits: As given.
        bodies: The bytes that all requests in hand may have.
    """

    def __init__(self, models: Models, limits: Limits):
        self.models, self.limits = models, limits
        self.bodies = Budget(limits.bodies, "Requests in hand take all the memory.")
        self._pool = concurrent.futures.ThreadPoolExecutor(limits.workers)

    def submit(self, call: Callable, seconds: float) -> concurrent.futures.Future:
        """The future of `call()` or of the `ServingError` that it raises, as a value.

        An exception would hold the frames that it went through, so all arrays of a
        request, and they it. A call whose time is over before its turn is not made.
        """
        deadline = time.monotonic() + seconds

        def run():
            try:
                return call() if time.monotonic() < deadline else overdue()
            except ServingError as error:
                return ServingError(error.code, str(error), error.status)

        return self._pool.submit(run)

    def close(self) -> None:
        """Waits for the calls under way and makes no more."""
        self._pool.shutdown(cancel_futures=True)

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
        given = {n: Spec(tf.as_dtype(x.dtype), x.shape) for n, x in inputs.items()}
        check(servable, signature, given, output_filter, self.limits)
        try:
            outputs = servable.answer(signature, inputs)
        except tf.errors.OpError as error:
            raise ServingError(_CODES[error.error_code], error.message) from None
        except (TypeError, ValueError) as error:
            raise invalid(str(error)) from None
        return {name: outputs[name] for name in output_filter or sorted(outputs)}

    def metadata(self, request) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a version, as its SavedModel holds them."""
        if list(request.metadata_field) != [METADATA]:
            raise invalid(
                f"Expected the metadata field {METADATA}; received "
                f"{list(request.metadata_field)}."
            )
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


def check(
    servable: Servable,
    signature: str,
    given: dict[str, Spec],
    output_filter: list[str] = (),
    limits: Limits = USUAL,
) -> None:
    """Refuses what does not fit, before anything is computed, or made of a message.

    Raises:
        ServingError: With the sentence that the client is to read.
    """
    if signature not in servable.signatures:
        sentence = f'Serving signature key "{signature}" not found.'
        raise ServingError("FAILED_PRECONDITION", sentence)
    specs, outputs = servable.signatures[signature]
    if given.keys() != specs.keys():
        raise invalid(f"Expected inputs {sorted(specs)}; received {sorted(given)}.")
    if set(output_filter) - set(outputs) or len(set(output_filter)) < len(
        output_filter
    ):
        raise invalid(
            f"Expected each once of the outputs {outputs}; received "
            f"{list(output_filter)}."
        )
    for name, (dtype, shape) in given.items():
        if not _fits(specs[name], dtype, shape):
            raise invalid(
                f"Input {name!r} must be {specs[name].dtype.name} of the shape "
                f"{specs[name].shape}; received {dtype.name} of {tuple(shape)}."
            )
    # The nodes of a graph are one batch, which nothing can take apart.
    most = math.inf if EDGES & specs.keys() else limits.batch
    free = [n for n, s in specs.items() if s.shape and s.shape[0] is None]
    rows = {name: given[name].shape[0] for name in free if name not in EDGES}
    # TensorFlow would spread a batch of one over the others silently.
    if len(set(rows.values())) > 1 or max(rows.values(), default=0) > most:
        raise invalid(f"Expected one number of rows, at most {most}; received {rows}.")


def overdue() -> ServingError:
    """The error of a call that takes too long."""
    return ServingError("DEADLINE_EXCEEDED", "The request took longer than its time.")


def fill_spec(spec, name: str, servable: Servable, signature: str = "") -> None:
    """Writes which version answered by which signature."""
    spec.name = name
    spec.version.value = servable.version
    spec.signature_name = signature


def _fits(spec, dtype, shape):
    return dtype == spec.dtype and (
        spec.shape is None
        or len(spec.shape) == len(shape)
        and all(size in (None, got) for size, got in zip(spec.shape, shape))
    )


def _choice(spec):
    kind = spec.WhichOneof("version_choice")
    version = spec.version.value if kind == "version" else None
    return version, spec.version_label if kind == "version_label" else None
