"""The local server: one folder of models, over REST and gRPC."""

import asyncio
import contextlib
import math
import signal
import threading
from collections.abc import Callable
from concurrent import futures
from pathlib import Path

import grpc
import uvicorn
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from keras_fusion.errors import InputError
from keras_fusion.serving.server.addresses import is_loopback, listen
from keras_fusion.serving.server.core import Core
from keras_fusion.serving.server.grpc_services import ModelService, PredictionService
from keras_fusion.serving.server.limits import USUAL, Limits
from keras_fusion.serving.server.models import Labels, Models
from keras_fusion.serving.server.patience import patient
from keras_fusion.serving.server.rest import RestApi

_PATIENCE = 1.25  # times the seconds of a request, in which a connection may be still


class Server:
    """Serves `saved_models/<name>/<version>` with TensorFlow Serving's own API.

    For a laptop and for tests; production is TensorFlow Serving itself. A context
    manager: it answers inside, and outside both ports are free again.

    Args:
        folder: Holds models' folders of versions, or is one.
        host: Address to listen at. Nothing asks who calls: keep it local.
        rest_port: 0 takes a free one.
        grpc_port: 0 takes a free one.
        labels: Version by label by model: `{"digits": {"stable": 1}}`.
        limits: Bounds on each request.
        poll_seconds: How often the folder is looked at for new versions.
        say: Is told what is loaded, let go and passed over.

    Attributes:
        rest_port, grpc_port: Where it listens.
        models: The models it answers for.

    Raises:
        ValueError: If a port is in use or no model can be loaded.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        host: str = "127.0.0.1",
        rest_port: int = 8501,
        grpc_port: int = 8500,
        labels: Labels | None = None,
        limits: Limits = USUAL,
        poll_seconds: float = 1.0,
        say: Callable[[str], None] = print,
    ):
        self._host, self._poll_seconds, self._say = host, poll_seconds, say
        self._folder = Path(folder)
        self.rest_port, self.grpc_port = rest_port, grpc_port
        self.models = Models(folder, labels=labels, say=say)
        self._limits = limits
        self._stop = threading.Event()

    def __enter__(self):
        self._undo = contextlib.ExitStack()
        with self._undo:
            rest_socket = self._undo.enter_context(listen(self._host, self.rest_port))
            self.rest_port = rest_socket.getsockname()[1]
            core = Core(self.models, self._limits)
            self._undo.callback(core.close)
            grpc_server = self._grpc_server(core)
            self._load()
            self._start_polling()
            self._start_grpc(grpc_server)
            api = RestApi(core, local=is_loopback(rest_socket))
            self._start_rest(api.application, rest_socket)
            self._undo = self._undo.pop_all()
        return self

    def __exit__(self, *error):
        self._undo.close()

    def run(self) -> None:
        """Answers until Ctrl-C or SIGTERM; requests in flight are finished."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with self:
            self._tell(f"REST at http://{self._at(self.rest_port)}/v1/models/...")
            self._tell(f"gRPC at {self._at(self.grpc_port)}; Ctrl-C stops")
            stop.wait()
        self._tell("stopped")

    def _tell(self, sentence):
        with contextlib.suppress(OSError):  # nobody listens any more
            self._say(sentence)

    def _at(self, port):
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{port}"

    def _load(self):
        self.models.refresh()
        if not self.models.names():
            raise InputError(
                f"{self._folder} holds no model that can be loaded: expected "
                f"{self._folder}/NAME/1/saved_model.pb, as `keras-fusion export` "
                "writes it."
            )

    def _start_polling(self):
        def poll():
            said = None
            while not self._stop.wait(self._poll_seconds):
                try:
                    self.models.refresh()
                    said = None
                except Exception as error:  # the folder is gone, say
                    if str(error) != said:
                        said = str(error)
                        self._tell(said)

        self._start(poll, self._stop.set)

    def _grpc_server(self, core):
        # One for each call in hand, so that none waits for a thread: its time begins
        # as it arrives, and status is told beside any number of slow predictions.
        pool = futures.ThreadPoolExecutor(self._limits.connections)
        self._undo.callback(pool.shutdown, wait=False)
        server = grpc.server(
            pool,
            maximum_concurrent_rpcs=self._limits.connections,
            options=[
                ("grpc.so_reuseport", 0),  # else two servers share a port unseen
                ("grpc.max_receive_message_length", self._limits.body),
                ("grpc.max_send_message_length", -1),
            ],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(core), server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(core), server
        )
        listen(self._host, self.grpc_port).close()  # says what is wrong, if anything
        self.grpc_port = server.add_insecure_port(self._at(self.grpc_port))
        return server

    def _start_grpc(self, server):
        server.start()
        self._undo.callback(lambda: server.stop(self._limits.seconds).wait())

    def _start_rest(self, application, listening):
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                http=patient(_PATIENCE * self._limits.seconds),
                timeout_graceful_shutdown=math.ceil(self._limits.seconds),
            )
        )

        def stop():
            server.should_exit = True

        listening.listen(self._limits.connections)  # from now on calls wait
        self._start(lambda: asyncio.run(server.serve([listening])), stop)

    def _start(self, work, stop):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._undo.callback(thread.join)
        self._undo.callback(stop)
