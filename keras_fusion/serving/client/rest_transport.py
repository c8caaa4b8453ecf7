"""TensorFlow Serving over REST, without TensorFlow."""

import json
from urllib.parse import quote

import numpy as np
import requests

from keras_fusion.serving import texts
from keras_fusion.serving.description import Described, Target
from keras_fusion.serving.errors import HTTP_STATUS, ServingError

# The first code of each status; 413 and 415 are the local server's own.
_CODES = {status: code for code, status in reversed(HTTP_STATUS.items())}
_CODES |= {413: "RESOURCE_EXHAUSTED", 415: "UNIMPLEMENTED"}


class RestTransport:
    """One server by JSON in columns; `NaN` and `Infinity` go as bare words.

    Each method raises a `ServingError`.
    """

    def __init__(self, url: str, timeout: float):
        self._url, self._timeout = url.rstrip("/"), timeout
        self._session = requests.Session()

    def predict(
        self,
        target: Target,
        signature: str,
        inputs: dict[str, np.ndarray],
        description: Described,
    ) -> dict[str, np.ndarray]:
        """Arrays by output name, for arrays of the signature's dtypes and shapes."""
        columns = {name: _listed(x) for name, x in inputs.items()}
        body = {"signature_name": signature, "inputs": columns}
        outputs = self._ask(lambda a: a["outputs"], f"{_path(target)}:predict", body)
        if len(description.outputs) == 1:  # goes without its name
            outputs = {next(iter(description.outputs)): outputs}
        return {
            name: _array(x, description.outputs[name].dtype)
            for name, x in outputs.items()
        }

    def metadata(self, target: Target) -> tuple[int, dict]:
        """Which version it is, and its signatures as JSON of a `SignatureDefMap`."""

        def read(answer):
            version = int(answer["model_spec"]["version"])
            return version, answer["metadata"]["signature_def"]

        return self._ask(read, f"{_path(target)}/metadata")

    def status(self, target: Target) -> dict[int, str]:
        """State by version."""

        def read(answer):
            states = answer["model_version_status"]
            return {int(state["version"]): state["state"] for state in states}

        return self._ask(read, _path(target))

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _ask(self, read, path, body=None):
        try:
            answer = self._session.request(
                "GET" if body is None else "POST",
                f"{self._url}{path}",
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
                timeout=self._timeout,
            )
        except requests.Timeout as error:
            sentence = f"{self._url} did not answer within {self._timeout} s."
            raise ServingError("DEADLINE_EXCEEDED", sentence) from error
        except requests.RequestException as error:
            sentence = f"No server answers at {self._url}: {error}"
            raise ServingError("UNAVAILABLE", sentence) from error
        status = answer.status_code
        code = _CODES.get(status, "UNKNOWN")
        try:
            if status == 200:
                return read(answer.json())
            raise ServingError(code, answer.json()["error"], status)
        except (ValueError, KeyError, TypeError) as error:
            sentence = f"{answer.url} answers {status}, but not as TensorFlow Serving."
            raise ServingError(code, sentence, status) from error


def _path(target):
    path = f"/v1/models/{quote(target.model, safe='')}"
    if target.version is not None:
        return f"{path}/versions/{target.version}"
    if target.label is not None:
        return f"{path}/labels/{quote(target.label, safe='')}"
    return path


def _listed(x):
    return texts.to_json(x.tolist()) if x.dtype.hasobject else x.tolist()


def _array(value, dtype):
    return np.array(texts.from_json(value) if dtype.hasobject else value, dtype)
