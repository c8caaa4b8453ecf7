"""`keras-fusion serve`."""

import re

from keras_fusion.common.errors import InputError
from keras_fusion.common.escaping import printable


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
