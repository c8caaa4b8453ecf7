"""The processes that torchrun started: each trains on a device of its own."""

import contextlib
import datetime
import itertools
import os

import keras

from keras_fusion.common.errors import InputError

KERAS = 3, 16  # the first with data parallelism on torch
COUNT, NUMBER, LOCAL = "WORLD_SIZE", "RANK", "LOCAL_RANK"  # torchrun sets them
_LONG = datetime.timedelta(days=30)  # torchrun ends all processes where one dies
_stores, _numbers = [], itertools.count()


def require_keras() -> None:
    """Raises a ValueError where this Keras has no data parallelism on torch."""
    if tuple(map(int, keras.__version__.split(".")[:2])) < KERAS:
        raise InputError(
            "Training on several devices on torch needs Keras 3.16 or newer; this is "
            f"Keras {keras.__version__}."
        )


def join() -> None:
    """Meets the other processes, where torchrun started several."""
    if int(os.environ.get(COUNT, 1)) == 1 or _stores:
        return
    require_keras()
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ[LOCAL]))
    store, *_ = next(torch.distributed.rendezvous("env://"))
    _stores.append(store)


def count() -> int:
    """How many processes train together: 1, but after `join`."""
    return int(os.environ[COUNT]) if _stores else 1


def number() -> int:
    """Which of the processes this is, from 0."""
    return int(os.environ[NUMBER]) if _stores else 0


def wait() -> None:
    """Waits until all processes have come here."""
    store = _own_store()
    store.set(str(number()), "")
    store.wait([str(n) for n in range(count())], _LONG)


@contextlib.contextmanager
def group():
    """Inside, the processes compute together; Keras does so wherever there is a group.

    So a model that one process predicts with has to be made and used outside.
    """
    from torch import distributed

    distributed.init_process_group(
        store=_own_store(), rank=number(), world_size=count()
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


def begin(model: keras.Model) -> None:
    """Has the gradients of all weights averaged that learn from here on.

    Keras would go on with those that learned when `model` was first trained.
    """
    model.ddp_model = None


class OneState(keras.callbacks.Callback):
    """Gives all processes what the first has counted, before it is used or kept.

    Each counts in its own part of the batches, as BatchNormalization does. Gradients,
    and so the weights that learn, Keras averages.
    """

    def on_test_begin(self, logs=None):
        self._spread()

    def on_epoch_end(self, epoch, logs=None):
        self._spread()

    def _spread(self):
        from torch import distributed

        for variable in self.model.non_trainable_variables:
            distributed.broadcast(variable.value.data, src=0)


def _own_store():
    """A part of the store that nothing was written to: what is there, is believed."""
    from torch import distributed

    return distributed.PrefixStore(f"keras_fusion/{next(_numbers)}", _stores[0])
