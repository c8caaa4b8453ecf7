"""The local server: one folder of models, over REST and gRPC."""

import contextlib
import ipaddress
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

from keras_fusion.common.errors import InputError
from keras_fusion.serving.server.addresses import LOCAL_NAMES, listen
from keras_fusion.serving.server.grpc_services import Services
from keras_fusion.serving.server.models import Labels, Models
from keras_fusion.serving.server.rest import application
from keras_fusion.serving.server.servable import USUAL, Limits


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
        say: Is told what is loaded, let go and cannot be loaded.

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
        self._folder, self._host, self._limits = folder, host, limits
        self.rest_port, self.grpc_port = rest_port, grpc_port
        self.models = Models(folder, labels=labels, say=say)
        self._poll_seconds, self._stop = poll_seconds, threading.Event()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            rest_socket = undo.enter_context(listen(self._host, self.rest_port))
            self.rest_port = rest_socket.getsockname()[1]
            pool = undo.enter_context(futures.ThreadPoolExecutor(self._limits.workers))
            grpc_server = self._grpc_server(pool)
            self.models.refresh()
            if not self.models.names():
                raise InputError(
                    f"{self._folder} holds no model that can be loaded: expected "
                    f"{self._folder}/NAME/1/saved_model.pb, as `keras-fusion export` "
                    "writes it."
                )
            self._start(undo, self._poll, self._stop.set)
            grpc_server.start()
            undo.callback(lambda: grpc_server.stop(self._limits.seconds).wait())
            self._start_rest(undo, pool, rest_socket)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *error):
        self._undo.close()

    def run(self) -> None:
        """Answers until Ctrl-C or SIGTERM; requests in flight are finished."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with self:
            self.models.tell(f"REST at http://{self._at(self.rest_port)}/v1/models/...")
            self.models.tell(f"gRPC at {self._at(self.grpc_port)}; Ctrl-C stops")
            stop.wait()
        self.models.tell("stopped")

    def _at(self, port):
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{port}"

    def _poll(self):
        said = None
        while not self._stop.wait(self._poll_seconds):
            wrong = None
            try:
                self.models.refresh()
            except Exception as error:  # the folder is gone, say
                wrong = str(error)
            if wrong and wrong != said:
                self.models.tell(wrong)
            said = wrong

    def _grpc_server(self, pool):
        server = grpc.server(
            pool,
            maximum_concurrent_rpcs=self._limits.connections,
            options=[
                ("grpc.so_reuseport", 0),  # else two servers share a port unseen
                ("grpc.max_receive_message_length", self._limits.body),
                ("grpc.max_send_message_length", -1),
            ],
        )
        services = Services(self.models, self._limits)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            services, server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(services, server)
        listen(self._host, self.grpc_port).close()  # says what is wrong, if anything
        self.grpc_port = server.add_insecure_port(self._at(self.grpc_port))
        return server

    def _start_rest(self, undo, pool, listening):
        address = listening.getsockname()[0]
        local = ipaddress.ip_address(address).is_loopback
        hosts = [*LOCAL_NAMES, address] if local else ["*"]
        server = uvicorn.Server(
            uvicorn.Config(
                application(self.models, self._limits, pool, hosts),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                limit_concurrency=self._limits.connections,
                timeout_graceful_shutdown=math.ceil(self._limits.seconds),
            )
        )

        def stop():
            server.should_exit = True

        listening.listen(self._limits.connections)  # from now on calls wait
        self._start(undo, lambda: server.run([listening]), stop)

    def _start(self, undo, work, stop):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        undo.callback(thread.join)
        undo.callback(stop)
