"""How much one request may ask of the local server."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds on requests; what is over them gets an error of its own.

    Attributes:
        body: Bytes of one request, and of one tensor that it describes.
        batch: Rows of one request.
        seconds: From the first byte of a request to its answer.
        workers: Calls of a model that run at once; others wait their turn.
        connections: Open at once, over REST and gRPC each.
    """

    body: int = 64 * 2**20
    batch: int = 1024
    seconds: float = 30.0
    workers: int = 4
    connections: int = 1024


USUAL = Limits()
