"""Work that is done before it is asked for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Ahead:
    """Answers with `read(*key)`, and begins the one that comes after it.

    Args:
        read: A function that may run in another thread.
    """

    def __init__(self, read: Callable):
        self._read = read
        self._pool = ThreadPoolExecutor(1)
        self._key, self._begun = None, None

    def __call__(self, key: tuple, then: tuple):
        """What `key` gives.

        Args:
            key: Arguments of `read`.
            then: Those that will be asked for next, most likely.
        """
        found = self._begun.result() if key == self._key else self._read(*key)
        self._key, self._begun = then, self._pool.submit(self._read, *then)
        return found
