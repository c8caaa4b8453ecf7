"""What goes wrong between a client and a server, by the canonical codes of gRPC."""

# As TensorFlow Serving turns a code into the status of an HTTP response.
HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}


class ServingError(RuntimeError):
    """A request that a server refused, with the server's own sentence.

    Attributes:
        code: Canonical name, `"INVALID_ARGUMENT"`, `"NOT_FOUND"` and so on.
        status: The HTTP status that goes with it.
    """

    def __init__(self, code: str, sentence: str, status: int | None = None):
        super().__init__(sentence)
        self.code = code
        self.status = status or HTTP_STATUS[code]


def invalid(sentence: str) -> ServingError:
    """The error that an unfit request gets."""
    return ServingError("INVALID_ARGUMENT", sentence)
