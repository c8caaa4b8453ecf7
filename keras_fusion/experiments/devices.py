"""Training on several devices: each takes a part of every batch."""

import contextlib

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import hosts, torchrun

_FORCED = {
    "jax": "XLA_FLAGS=--xla_force_host_platform_device_count={count} makes as many of "
    "one CPU",
    "tensorflow": "tf.config.set_logical_device_configuration makes as many of one CPU",
}


@contextlib.contextmanager
def data_parallel(count: int):
    """What is built and fitted inside runs on so many devices, data parallel.

    The global batch stays what it was, so that the numbers are those of one device to
    rounding, but for what each device draws by itself (dropout on TensorFlow and
    torch). It is `keras.distribution.DataParallel` on JAX and, in the processes that
    torchrun started, on torch; `tf.distribute.MirroredStrategy` on TensorFlow.

    Args:
        count: Devices, of all hosts where there are several; 1 changes nothing.

    Raises:
        ValueError: If there are not so many, or Keras cannot do it on this backend.
    """
    if count < 1:
        raise InputError(f"devices must be a whole number from 1; received {count}.")
    if count == 1 and hosts.count() == 1:
        yield
        return
    backend = keras.backend.backend()
    if backend == "torch" and hosts.count() == 1:
        torchrun.require_keras()
        raise InputError(
            "On torch a process trains on each device: torchrun --no-python "
            f"--nproc-per-node {count} keras-fusion train RECIPE --devices {count}."
        )
    with _ON[backend](_first(count, backend)):
        yield


def replicas() -> int:
    """How many devices share a batch here: 1, but inside `data_parallel`."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
    found = keras.distribution.distribution()
    return 1 if found is None else found.device_mesh.devices.size


def check_shared(data: Dataset, batch_size: int, parts: int = 1) -> None:
    """Raises a ValueError unless devices can share batches of these data, in parts."""
    devices = replicas()
    if devices > 1 and parts > 1 and keras.backend.backend() == "tensorflow":
        raise InputError(
            "Keras adds up no gradients of several devices on TensorFlow: set "
            f"batch_parts = 1, or train on one device; received {parts}."
        )
    if batch_size % (devices * parts):
        raise InputError(
            f"{devices} devices share a batch equally, in {parts} batch_parts: give a "
            f"batch_size that is a multiple of {devices * parts}; received "
            f"{batch_size}."
        )
    rows = len(data.train.labels)
    if rows < devices * parts:
        raise InputError(
            f"{data.name} has {rows} rows that train, too few for {devices} devices "
            f"and {parts} batch_parts."
        )
    if devices > 1 and data.classes == 1 and data.train.labels.ndim == 3:
        raise InputError(
            f"{data.name} has masks of a foreground, whose loss has no weight for each "
            "pixel, which rows that fill up a batch need: train on one device."
        )


def _first(count, backend):
    """The names of so many devices, of CPUs only where there is nothing faster."""
    found = keras.distribution.list_devices()
    found = [x for x in found if not x.startswith("cpu")] or found
    if hosts.count() > 1 and count != len(found):
        raise InputError(
            f"{hosts.count()} hosts have {len(found)} devices, all of which train: say "
            f"--devices {len(found)}; received {count}."
        )
    if len(found) < count:
        raise InputError(
            f"{count} devices were asked for; {backend} has {len(found)}. For a trial "
            f"without hardware, {_FORCED[backend].format(count=count)}."
        )
    return found[:count]


@contextlib.contextmanager
def _on_keras(devices):
    distribution = keras.distribution.DataParallel(
        devices=devices, auto_shard_dataset=False
    )
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(distribution)
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


@contextlib.contextmanager
def _on_torch(devices):
    with torchrun.group(), _on_keras(devices):
        yield


def _on_tensorflow(devices):
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices).scope()


_ON = {"jax": _on_keras, "tensorflow": _on_tensorflow, "torch": _on_torch}
