"""How much may be asked of the local server."""

import contextlib
import sys
import threading
from typing import NamedTuple

from keras_fusion.serving.errors import ServingError


class Limits(NamedTuple):
    """Bounds on requests; what is over them gets an error of its own.

    Attributes:
        body: Bytes of one request, and of the tensors that it describes.
        bodies: Bytes of all requests that are in hand.
        batch: Rows of one request.
        seconds: From the first byte of a request to its answer. A client that does
            nothing for a little longer is let go.
        workers: Calls of a model that run at once; others wait their turn.
        connections: Requests in hand, over REST and gRPC each, waiting ones included.
    """

    body: int = 64 * 2**20
    bodies: int = 512 * 2**20
    batch: int = 1024
    seconds: float = 30.0
    workers: int = 4
    connections: int = 512


USUAL = Limits()
NONE = Limits(body=sys.maxsize, batch=sys.maxsize)


class Budget:
    """So many of something; what is taken is given back as its request ends."""

    def __init__(self, most: int, sentence: str, code: str = "RESOURCE_EXHAUSTED"):
        self._left, self._lock = most, threading.Lock()
        self._error = code, sentence

    @contextlib.contextmanager
    def taking(self):
        """A function that takes an amount of it for the time of the block.

        It raises a ServingError where there is less left.
        """
        taken = 0

        def take(amount):
            nonlocal taken
            with self._lock:
                if amount > self._left:
                    raise ServingError(*self._error)
                self._left -= amount
                taken += amount

        try:
            yield take
        finally:
            with self._lock:
                self._left += taken
