"""TensorFlow Serving's REST API as an ASGI application."""

import asyncio
import json
import logging
import zlib

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

from keras_fusion.names import DEFAULT
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import json_bodies
from keras_fusion.serving.server.addresses import names_this_machine
from keras_fusion.serving.server.core import METADATA, Core, overdue
from keras_fusion.serving.server.limits import Budget

_LOG = logging.getLogger(__name__)
_MODEL = "/v1/models/{name}"
_CHOICES = "", "/versions/{version}", "/labels/{label}"


class RestApi:
    """Answers the requests of one server.

    Args:
        core: What answers.
        local: Whether only this machine may ask, so that a page of the web whose name
            was bound to this machine may not.

    Attributes:
        application: What an ASGI server runs.
    """

    def __init__(self, core: Core, local: bool = True):
        self._core, self._local = core, local
        self._requests = Budget(
            core.limits.connections, "Too many requests at once.", "UNAVAILABLE"
        )
        routes = []
        for choice in _CHOICES:
            ask, tell = f"{_MODEL}{choice}:{{method}}", f"{_MODEL}{choice}"
            routes += [
                Route(ask, self._answering(self._predict), methods=["POST"]),
                Route(f"{tell}/metadata", self._answering(self._metadata)),
                Route(tell, self._answering(self._status)),
            ]
        refused = {404: _nothing_there, 405: _nothing_there}
        self.application = Starlette(routes=routes, exception_handlers=refused)

    def _answering(self, answer):
        async def respond(request: Request) -> Response:
            try:
                self._check_host(request)
                with self._requests.taking() as take:
                    take(1)
                    async with asyncio.timeout(self._core.limits.seconds):
                        return _json(await answer(request))
            except ServingError as error:
                error.__traceback__ = None  # it holds the body, and the body it
                return _error(error)
            except TimeoutError:
                return _error(overdue())
            except ClientDisconnect:
                return Response()  # nobody reads it
            except Exception as error:  # a fault of ours
                _LOG.exception("A request failed")
                return _error(ServingError("INTERNAL", f"{type(error).__name__}"))

        return respond

    def _check_host(self, request):
        host = request.headers.get("host", "localhost")
        if self._local and not names_this_machine(host):
            raise ServingError(
                "PERMISSION_DENIED", f"This server is localhost; received {host!r}."
            )

    async def _predict(self, request):
        limits = self._core.limits
        with self._core.bodies.taking() as take:
            body = await _body(request, limits.body, take)
            if request.path_params["method"] != "predict":
                raise ServingError(
                    "UNIMPLEMENTED",
                    "The local server only predicts; TensorFlow Serving itself also "
                    "classifies and regresses.",
                )
            spec = _spec(request)
            call = self._core.submit(
                lambda: self._predicted(spec, body), limits.seconds
            )
            answered = await asyncio.wrap_future(call)
        if isinstance(answered, ServingError):
            raise answered
        return answered

    def _predicted(self, spec, body):
        document = json_bodies.parse(body)
        servable = self._core.servable(spec)
        signature = document["signature_name"] or DEFAULT
        if signature not in servable.signatures:
            raise invalid(f'Serving signature key "{signature}" not found.')
        specs = servable.signatures[signature].inputs
        form, inputs = json_bodies.arrays_of(document, specs)
        outputs = self._core.predict(servable, signature, inputs)
        return json_bodies.response(outputs, form)

    async def _status(self, request):
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(request))
        return _proto_json(self._core.status(asked))

    async def _metadata(self, request):
        asked = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(request), metadata_field=[METADATA]
        )
        response = self._core.metadata(asked)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata[METADATA].Unpack(signatures)
        return (
            f'{{"model_spec": {_proto_json(response.model_spec)}, '
            f'"metadata": {{"{METADATA}": {_proto_json(signatures)}}}}}'
        )


def _spec(request):
    parts = request.path_params
    spec = model_pb2.ModelSpec(
        name=parts["name"], version_label=parts.get("label") or None
    )
    if version := parts.get("version"):
        if not version.isascii() or not version.isdecimal() or len(version) > 18:
            raise invalid(f"A version is a whole number; received {version[:30]!r}.")
        spec.version.value = int(version)
    return spec


async def _body(request, most, take):
    """The whole body; one that is refused is read to its end, but not kept.

    A client that is still sending would not read an answer.
    """
    unpack, is_whole = _unpacking(
        request.headers.get("content-encoding", "identity"), most
    )
    size, kept, refused = 0, [], None
    async for chunk in request.stream():
        if refused:
            continue
        try:
            chunk = unpack(chunk)
            size += len(chunk)
            if size > most:
                sentence = f"The body has more than the {most} bytes that are taken."
                raise ServingError("RESOURCE_EXHAUSTED", sentence, 413)
            take(len(chunk))
            kept.append(chunk)
        except ServingError as error:
            refused = ServingError(error.code, str(error), error.status)
            kept.clear()
    if refused:
        raise refused
    if not is_whole():
        raise invalid("The body is gzip that is cut off.")
    return b"".join(kept)


def _unpacking(encoding, most):
    """What unpacks a part of a body, and what says whether the parts were all."""
    if encoding == "identity":
        return lambda chunk: chunk, lambda: True
    if encoding != "gzip":
        sentence = f"A body may be plain or gzip; received {encoding[:30]!r}."
        raise ServingError("UNIMPLEMENTED", sentence, 415)
    packed = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def unpack(chunk):
        try:
            return packed.decompress(chunk, most + 1)
        except zlib.error as error:
            raise invalid(f"The body is not gzip: {error}.") from None

    return unpack, lambda: packed.eof


def _proto_json(message):
    return json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=1,
    )


async def _nothing_there(request, error):
    path = request.url.path
    if not path.startswith("/v1/"):
        return _error(ServingError("NOT_FOUND", f"There is nothing at {path[:200]}."))
    return _error(invalid(f"Malformed request: {request.method} {path[:200]}"))


def _json(text, status=200):
    return Response(text, status, media_type="application/json")


def _error(error):
    return _json(json.dumps({"error": str(error)}), error.status)
