"""`keras-fusion serve`."""

import re

from keras_fusion.common.errors import InputError
from keras_fusion.common.escaping import printable


def add_arguments(parser) -> None:
    """Adds what the command takes."""
    parser.add_argument(
        "folder", nargs="?", default="saved_models", help="folder of the models"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; there is no password"
    )
    parser.add_argument(
        "--rest-port", type=int, default=8501, help="port of REST; 0 takes a free one"
    )
    parser.add_argument(
        "--grpc-port", type=int, default=8500, help="port of gRPC; 0 takes a free one"
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="MODEL:LABEL=VERSION",
        help="also keep VERSION loaded, under the name LABEL",
    )
    parser.add_argument(
        "--body",
        type=int,
        metavar="BYTES",
        help="largest request in bytes (default: 64 MiB)",
    )
    parser.add_argument(
        "--batch",
        type=int,
        metavar="ROWS",
        help="largest number of rows in a request (default: 1024)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        help="longest time of a request over REST (default: 30)",
    )


def run(options) -> None:
    """Answers over REST and gRPC until Ctrl-C."""
    try:
        from keras_fusion.serving.server.servable import USUAL
        from keras_fusion.serving.server.server import Server
    except ModuleNotFoundError as error:
        raise ImportError(
            f"serve needs {error.name}, which is not installed: "
            'pip install "keras-fusion[tensorflow,serving]".'
        ) from error

    labels = {}
    for text in options.label:
        model, label, version = _label(text)
        labels.setdefault(model, {})[label] = version
    Server(
        options.folder,
        host=options.host,
        rest_port=options.rest_port,
        grpc_port=options.grpc_port,
        labels=labels,
        limits=USUAL._replace(**_limits(options)),
        say=lambda text: print(printable(text), flush=True),
    ).run()


def _limits(options):
    given = {n: getattr(options, n) for n in ("body", "batch", "seconds")}
    given = {name: most for name, most in given.items() if most is not None}
    for name, most in given.items():
        if not most > 0:
            raise InputError(f"--{name} must be more than 0; received {most}.")
    return given


def _label(text):
    parts = re.fullmatch(r"([^/:]+):([^/:=]+)=([0-9]+)", text)
    if not parts:
        raise InputError(
            f"--label takes MODEL:LABEL=VERSION, as digits:stable=1; received {text}."
        )
    return parts[1], parts[2], int(parts[3])
