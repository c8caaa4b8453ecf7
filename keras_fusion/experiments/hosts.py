"""Several hosts that train one model: each runs the same command.

Each host gives its part of every batch to its own devices. The first writes the files,
so the folder of runs has to be one that all hosts see. On torch each process that
torchrun started is a host of one device, on the same machine or another.
"""

import contextlib
import os
from pathlib import Path

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import alone_in
from keras_fusion.experiments import torchrun

COORDINATOR = "JAX_COORDINATOR_ADDRESS"
COUNT, NUMBER = "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"


def join() -> None:
    """Meets the other hosts, where the environment names some.

    `JAX_COORDINATOR_ADDRESS` (`HOST:PORT` of the first), `JAX_NUM_PROCESSES` and
    `JAX_PROCESS_ID` are what Kubeflow sets for each process of a TrainJob. On torch it
    is what torchrun sets.

    Raises:
        ValueError: If the variables are not complete, or Keras has no such training on
            this backend.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        torchrun.join()
    if backend != "jax" or COORDINATOR not in os.environ:
        return
    numbers = [os.environ.get(name, "") for name in (COUNT, NUMBER)]
    if not all(number.isdecimal() for number in numbers):
        raise InputError(
            f"{COORDINATOR} is set, so {COUNT} and {NUMBER} must be whole numbers; "
            f"received {numbers[0]!r} and {numbers[1]!r}."
        )
    keras.distribution.initialize(os.environ[COORDINATOR], *map(int, numbers))


def count() -> int:
    """How many hosts train together: 1, but after `join`."""
    if keras.backend.backend() == "torch":
        return torchrun.count()
    return _jax().process_count() if keras.backend.backend() == "jax" else 1


def is_first() -> bool:
    """Whether this host is the one that writes files."""
    return count() == 1 or _number() == 0


def own_part(rows: int) -> slice:
    """Which of the rows of a batch are this host's."""
    hosts = count()
    if hosts == 1:
        return slice(None)
    own, number = rows // hosts, _number()
    return slice(own * number, own * (number + 1))


def wait(name: str) -> None:
    """Waits until all hosts have come to the place of this name."""
    if count() == 1:
        return
    if keras.backend.backend() == "torch":
        torchrun.wait()
        return
    from jax.experimental import multihost_utils

    multihost_utils.sync_global_devices(name)


def writing_in(folder: Path):
    """`alone_in` for the host that writes; the others only read there."""
    return alone_in(folder) if is_first() else contextlib.nullcontext()


def _number():
    if keras.backend.backend() == "torch":
        return torchrun.number()
    return _jax().process_index()


def _jax():
    import jax

    return jax
