"""Keras on a backend that is installed."""

import contextlib
import importlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator

from keras_fusion.common.errors import InputError

BACKENDS = ("tensorflow", "jax", "torch")


def prepare() -> None:
    """Chooses a backend where nobody has, and imports Keras on it."""
    _choose()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        keras = importlib.import_module("keras")
    except ModuleNotFoundError as error:
        name = os.environ.get("KERAS_BACKEND")
        if error.name != name:
            raise
        raise InputError(
            f"KERAS_BACKEND is {name!r}, which is not installed: "
            f'pip install "keras-fusion[{name}]", or name another one.'
        ) from error
    keras.config.disable_traceback_filtering()  # errors in their own words


def silence_others() -> None:
    """Imports TensorFlow without its notices where it is not the backend.

    Keras imports it there to set its seed, and it speaks of devices that nothing
    computes on. What the backend itself prints is not hidden, since it may say that a
    GPU was not found; only the advice to trace less is, which is for those who wrote
    the loop: a comparison traces each of its models once.
    """
    logging.getLogger("tensorflow").addFilter(
        lambda record: "tf.function retracing" not in record.getMessage()
    )
    import keras

    other = keras.backend.backend() != "tensorflow"
    if other and importlib.util.find_spec("tensorflow"):
        with _silenced():
            importlib.import_module("tensorflow")


def _choose():
    """Takes a backend that is installed where neither variable nor file names one."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    if "KERAS_BACKEND" in os.environ or os.path.exists(f"{home}/keras.json"):
        return
    for name in BACKENDS:
        if importlib.util.find_spec(name):
            os.environ["KERAS_BACKEND"] = name
            return


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Sends standard error away, also what is written to it in C++."""
    sys.stderr.flush()
    terminal = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
