"""TensorFlow Serving's REST API as an ASGI application."""

import asyncio
import concurrent.futures
import json
import zlib

import tensorflow as tf
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
)

from keras_fusion.common.names import DEFAULT
from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import json_bodies
from keras_fusion.serving.server.grpc_services import (
    METADATA,
    metadata,
    servable_of,
    status,
)
from keras_fusion.serving.server.models import Models
from keras_fusion.serving.server.servable import Limits


def application(
    models: Models,
    limits: Limits,
    pool: concurrent.futures.Executor,
    hosts: list[str],
) -> Starlette:
    """What an ASGI server runs.

    Args:
        models: What answers.
        limits: Bounds on each request.
        pool: Where models are called.
        hosts: The names by which it may be asked; `["*"]` for any.
    """
    api, routes = _Api(models, limits, pool), []
    for choice in ("", "/versions/{version}", "/labels/{label}"):
        path = f"/v1/models/{{name}}{choice}"
        routes += [
            Route(f"{path}:predict", api.predict, methods=["POST"]),
            Route(f"{path}/metadata", api.metadata),
            Route(path, api.status),
        ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
        exception_handlers={
            ServingError: lambda _, e: _json({"error": str(e)}, e.status),
            HTTPException: lambda _, e: _json({"error": e.detail}, e.status_code),
            ClientDisconnect: lambda *_: Response(),  # nobody reads it
        },
    )


class _Api:
    def __init__(self, models, limits, pool):
        self._models, self._limits, self._pool = models, limits, pool

    async def predict(self, request):
        try:
            async with asyncio.timeout(self._limits.seconds):
                body = await _body(request, self._limits.body)
                return await asyncio.get_running_loop().run_in_executor(
                    self._pool, self._predicted, _spec(request), body
                )
        except TimeoutError:
            sentence = f"The request took longer than {self._limits.seconds} s."
            raise ServingError("DEADLINE_EXCEEDED", sentence) from None

    async def status(self, request):
        asked = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(request))
        return _json(_told(status(self._models, asked)))

    async def metadata(self, request):
        asked = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(request), metadata_field=[METADATA]
        )
        told = _told(metadata(self._models, asked))
        del told["metadata"][METADATA]["@type"]
        return _json(told)

    def _predicted(self, spec, body):
        document = json_bodies.parse(body)
        servable = servable_of(self._models, spec)
        signature = document["signature_name"] or DEFAULT
        specs = servable.inputs(signature)
        inputs = json_bodies.arrays_of(document, specs)
        given = {n: tf.TensorSpec(x.shape, specs[n].dtype) for n, x in inputs.items()}
        servable.check(signature, given, self._limits)
        outputs = servable.answer(signature, inputs)
        return _json(json_bodies.answer(outputs, document))


def _spec(request):
    spec = model_pb2.ModelSpec(
        name=request.path_params["name"],
        version_label=request.path_params.get("label"),
    )
    if "version" in request.path_params:
        try:
            spec.version.value = int(request.path_params["version"])
        except ValueError:
            raise invalid("A version is a whole number of 63 bits.") from None
    return spec


async def _body(request, most):
    """The whole body; of one that is too large the rest is read, but not kept.

    A client that is still sending would not read an answer.
    """
    body = bytearray()
    async for chunk in request.stream():
        if len(body) <= most:
            body += chunk
    encoding = request.headers.get("content-encoding", "identity")
    if encoding == "gzip":
        packed = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            body = packed.decompress(body, most + 1)
        except zlib.error as error:
            raise invalid(f"The body is not gzip: {error}.") from None
        if len(body) <= most and not packed.eof:
            raise invalid("The body is gzip that is cut off.")
    elif encoding != "identity":
        raise ServingError("UNIMPLEMENTED", "A body may be plain or gzip.", 415)
    if len(body) > most:
        sentence = f"The body has more than the {most} bytes that are taken."
        raise ServingError("RESOURCE_EXHAUSTED", sentence, 413)
    return bytes(body)


def _told(message):
    return json_format.MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )


def _json(content, status=200):
    text = json.dumps(content, ensure_ascii=False)
    return Response(text, status, media_type="application/json")
