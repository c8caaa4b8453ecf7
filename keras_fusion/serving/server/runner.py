"""Runs calls of models a few at a time, each within its time."""

import concurrent.futures
import time
from collections.abc import Callable

from keras_fusion.serving.errors import ServingError
from keras_fusion.serving.server.limits import Limits


class Runner:
    """A pool of threads; a call whose time is over before its turn is not made.

    TensorFlow cannot be interrupted from Python: a call that is under way when its
    time is over goes on, occupying its thread, while its client has the error.
    """

    def __init__(self, limits: Limits):
        self.seconds = limits.seconds
        self._pool = concurrent.futures.ThreadPoolExecutor(
            limits.workers, thread_name_prefix="model"
        )

    def submit(self, call: Callable, deadline: float) -> concurrent.futures.Future:
        """The future of `call()`; `deadline` is by `time.monotonic`."""
        return self._pool.submit(self._run, call, deadline)

    def run(self, call: Callable, seconds: float | None = None):
        """The result of `call()`.

        Raises:
            ServingError: DEADLINE_EXCEEDED after `seconds`, or the limit if sooner.
        """
        seconds = min(self.seconds, self.seconds if seconds is None else seconds)
        future = self.submit(call, time.monotonic() + seconds)
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise overdue() from None

    def close(self) -> None:
        """Waits for the calls under way and makes no more."""
        self._pool.shutdown(cancel_futures=True)

    @staticmethod
    def _run(call, deadline):
        if time.monotonic() > deadline:
            raise overdue()
        return call()


def overdue() -> ServingError:
    """The error of a call that takes too long."""
    return ServingError("DEADLINE_EXCEEDED", "The request took longer than its time.")
