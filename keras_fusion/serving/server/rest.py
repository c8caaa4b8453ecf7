"""TensorFlow Serving's REST API as an ASGI application."""

import asyncio
import json
import logging
import re
import time
from urllib.parse import unquote

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import inference as prediction
from keras_fusion.serving.server import json_requests
from keras_fusion.serving.server.core import METADATA, Core
from keras_fusion.serving.server.limits import Budget
from keras_fusion.serving.server.runner import Runner, overdue

_LOG = logging.getLogger(__name__)
_CHOICE = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_ASK = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_CHOICE}:(?P<method>classify|regress|predict)",
    re.IGNORECASE,
)
_TELL = re.compile(
    rf"/v1/models(?:/(?P<name>[^/:]+))?{_CHOICE}(?P<metadata>/metadata)?",
    re.IGNORECASE,
)


class RestApi:
    """Answers the requests of one server.

    Attributes:
        application: What an ASGI server runs.
    """

    def __init__(self, core: Core, runner: Runner):
        self._core, self._runner = core, runner
        self._requests = Budget(
            core.limits.connections, "Too many requests at once.", "UNAVAILABLE"
        )
        self.application = Starlette(
            routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])],
            exception_handlers={405: _not_allowed},
        )

    async def _answer(self, request: Request) -> Response:
        seconds = self._core.limits.seconds
        deadline = time.monotonic() + seconds
        try:
            with self._requests.taking() as take:
                take(1)
                async with asyncio.timeout(seconds):
                    return await self._respond(request, deadline)
        except ServingError as error:
            return _error(error)
        except TimeoutError:
            return _error(overdue())
        except ClientDisconnect:
            return Response()  # nobody reads it
        except Exception as error:  # a fault of ours
            _LOG.exception("A request failed")
            return _error(ServingError("INTERNAL", f"{type(error).__name__}: {error}"))

    async def _respond(self, request, deadline):
        path = request.scope["raw_path"].decode("ascii", "replace")
        if not path.lower().startswith("/v1/"):
            raise ServingError("NOT_FOUND", f"There is nothing at {path}.")
        if request.method == "POST" and (parts := _ASK.fullmatch(path)):
            return await self._predict(request, parts, deadline)
        if request.method == "GET" and (parts := _TELL.fullmatch(path)):
            return self._tell(parts)
        raise _malformed(request)

    async def _predict(self, request, parts, deadline):
        with self._core.bodies.taking() as take:
            body = await _body(request, self._core.limits.body, take)
            if parts["method"].lower() != "predict":
                raise ServingError(
                    "UNIMPLEMENTED",
                    "The local server only predicts; TensorFlow Serving itself also "
                    "classifies and regresses.",
                )
            spec = _spec(parts)
            call = self._runner.submit(lambda: self._predicted(spec, body), deadline)
            return _json(await asyncio.wrap_future(call))

    def _predicted(self, spec, body):
        parsed = json_requests.parse(body)
        servable = self._core.servable(spec)
        signature = parsed.signature or prediction.DEFAULT
        if signature not in servable.signatures:
            raise invalid(
                f'Serving signature name: "{signature}" not found in signature def'
            )
        specs = servable.signatures[signature].inputs
        form, inputs = json_requests.arrays_of(parsed, specs)
        outputs = self._core.predict(servable, signature, inputs)
        return json_requests.response(outputs, form)

    def _tell(self, parts):
        if not parts["name"]:
            raise invalid("Missing model name in request.")
        spec = _spec(parts)
        if not parts["metadata"]:
            request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
            return _json(_proto_json(self._core.status(request)))
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=[METADATA]
        )
        return _json(_metadata_json(self._core.metadata(request)))


def _spec(parts):
    spec = model_pb2.ModelSpec(name=unquote(parts["name"]))
    if parts["version"]:
        if int(parts["version"]) >= 2**63:
            raise invalid(f"Failed to convert version: {parts['version']} to numeric.")
        spec.version.value = int(parts["version"])
    if parts["label"]:
        spec.version_label = unquote(parts["label"])
    return spec


async def _body(request, most, take):
    """The whole body; one that is refused is read to its end, but not kept.

    A client that is still sending would not read an answer.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ServingError(
            "UNIMPLEMENTED", "The local server takes no compressed bodies.", 415
        )
    size, kept, refused = 0, [], None
    async for chunk in request.stream():
        size += len(chunk)
        if refused or size > most:
            continue
        try:
            take(len(chunk))
            kept.append(chunk)
        except ServingError as error:
            refused = error
            kept.clear()
    if size > most:
        raise ServingError(
            "RESOURCE_EXHAUSTED",
            f"The body has {size} bytes, more than the {most} that are taken.",
            413,
        )
    if refused:
        raise refused
    return b"".join(kept)


def _metadata_json(response):
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata[METADATA].Unpack(signatures)
    return (
        f'{{"model_spec": {_proto_json(response.model_spec)}, '
        f'"metadata": {{"{METADATA}": {_proto_json(signatures)}}}}}'
    )


def _proto_json(message):
    return json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=1,
    )


def _malformed(request):
    path = request.scope["raw_path"].decode("ascii", "replace")
    return invalid(f"Malformed request: {request.method} {path}")


async def _not_allowed(request, error):
    return _error(_malformed(request))


def _json(text, status=200):
    return Response(text, status, media_type="application/json")


def _error(error):
    return _json(json.dumps({"error": str(error)}), error.status)
