"""Asks a TensorFlow Serving, or the local server, with dicts of arrays."""

import time
from collections.abc import Sequence

import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.names import DEFAULT, RAW
from keras_fusion.serving.client.absence import complete, signature_for
from keras_fusion.serving.client.rows import Columns, arrays_of, raw_arrays
from keras_fusion.serving.description import Described, Target, described
from keras_fusion.serving.errors import ServingError

_TRUSTED = 5.0  # seconds that the newest version, or that of a label, is taken for so


class Client:
    """One server, over REST or gRPC as its url says.

    Inputs are named arrays, or rows of named values; modalities that are left out are
    absent: the client sends zeros of the right shape for them and tells
    `serving_masked` so. Names are the person's own or the signature's.

    What the signatures of a version take is asked of the server, and then just that
    version is asked. Which one is the newest, or carries a label, is asked again after
    five seconds, and as soon as the one that was is gone.

    Args:
        url: `http://localhost:8501`, `https://...` or `grpc://localhost:8500`.
        timeout: Seconds that an answer may take.

    Raises:
        ValueError: If the url is of another form.
    """

    def __init__(self, url: str, timeout: float = 30.0):
        self._transport = _transport(url, timeout)
        self._known: dict[Target, tuple[Target, dict[str, Described], float]] = {}

    def predict(
        self,
        model: str,
        inputs: dict[str, np.ndarray] | Sequence[dict],
        *,
        columns: Columns | None = None,
        version: int | None = None,
        label: str | None = None,
        signature: str = DEFAULT,
    ) -> dict[str, np.ndarray]:
        """The model's outputs.

        Args:
            model: Its name at the server.
            inputs: `(B, ...)` arrays by name; `NAME_present` (B,) bool says in which
                rows a modality is absent. Or B rows: dicts of values by name.
            columns: For rows: the names of an input's numbers in its order, as
                `keras_fusion.export.input_columns` reads them; a row may then have
                these in place of the input, in any order.
            version: The newest unless given.
            label: In place of a version.
            signature: With inputs absent, `serving_default` becomes `serving_masked`
                and `embedding` becomes `embedding_masked`. `serving_raw` takes rows
                of a table, as `raw_arrays` does.

        Returns:
            Arrays by output name.

        Raises:
            ValueError: If the inputs do not fit the signature, or hold a number that
                is infinite as the signature's dtype.
            ServingError: With the server's sentence if it refuses, or none answers.
        """
        target = Target(model, version, label)
        try:
            return self._predict(target, inputs, columns, signature)
        except ServingError as error:
            self._known.pop(target, None)
            if error.code != "NOT_FOUND" or version is not None:
                raise
        # Of the version that there is now.
        return self._predict(target, inputs, columns, signature)

    def signatures(
        self, model: str, *, version: int | None = None, label: str | None = None
    ) -> dict[str, Described]:
        """What each signature of a model takes and gives, by its name.

        Raises:
            ServingError: If there is no such model, or no server.
        """
        return self._described(Target(model, version, label))[1]

    def status(self, model: str) -> dict[int, str]:
        """The state of each version that the server knows: AVAILABLE, LOADING, END.

        Raises:
            ServingError: If there is no such model, or no server.
        """
        return self._transport.status(Target(model))

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def _predict(self, target, inputs, columns, signature):
        exact, signatures = self._described(target)
        if not isinstance(inputs, dict) and signature == RAW and RAW in signatures:
            inputs = raw_arrays(inputs, signatures[RAW])
        elif not isinstance(inputs, dict):
            name = signature_for(set(), signatures, signature)
            inputs = arrays_of(inputs, signatures[name], columns)
        name, arrays = complete(inputs, signatures, signature)
        return self._transport.predict(exact, name, arrays, signatures[name])

    def _described(self, target):
        """The version that a target is by now, and its signatures."""
        exact, signatures, until = self._known.get(target, (None, None, 0.0))
        if time.monotonic() >= until:
            version, signature_map = self._transport.metadata(target)
            exact, signatures = Target(target.model, version), described(signature_map)
            until = time.monotonic() + _TRUSTED
            self._known[target] = exact, signatures, until
        return exact, signatures

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _transport(url, timeout):
    scheme, _, address = url.partition("://")
    if scheme in ("http", "https") and address:
        from keras_fusion.serving.client.rest_transport import RestTransport

        return RestTransport(url, timeout)
    if scheme == "grpc" and address:
        from keras_fusion.serving.client.grpc_transport import GrpcTransport

        return GrpcTransport(address, timeout)
    raise InputError(
        f"Expected http://HOST:PORT, https://HOST:PORT or grpc://HOST:PORT; received "
        f"{url!r}."
    )
