"""What a client needs of REST and of gRPC alike."""

from typing import NamedTuple, Protocol

import numpy as np

from keras_fusion.serving.description import Described


class Target(NamedTuple):
    """A model at a server, its newest version unless one is named."""

    model: str
    version: int | None = None
    label: str | None = None


class Transport(Protocol):
    """One server by one API; each method raises a `ServingError`."""

    def predict(
        self,
        target: Target,
        signature: str,
        inputs: dict[str, np.ndarray],
        description: Described,
    ) -> dict[str, np.ndarray]:
        """Arrays by output name, for arrays of the signature's dtypes and shapes."""

    def metadata(self, target: Target) -> tuple[int, dict]:
        """Which version it is, and its signatures as JSON of a `SignatureDefMap`."""

    def status(self, target: Target) -> dict[int, str]:
        """State by version."""

    def close(self) -> None:
        """Closes the connections."""
