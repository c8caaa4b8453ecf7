"""TensorFlow Serving over REST, without TensorFlow."""

import base64
import json

import numpy as np
import requests

from keras_fusion.serving.client.transport import Target
from keras_fusion.serving.description import Described, Tensor
from keras_fusion.serving.errors import HTTP_STATUS, ServingError

# The first code of each status; 413 and 415 are the local server's own.
_CODES = {status: code for code, status in reversed(HTTP_STATUS.items())}
_CODES |= {413: "RESOURCE_EXHAUSTED", 415: "UNIMPLEMENTED"}


class RestTransport:
    """A `Transport` by JSON in columns; `NaN` and `Infinity` go as bare words."""

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
        body = {
            "signature_name": signature,
            "inputs": {name: _listed(x) for name, x in inputs.items()},
        }
        outputs = self._ask(lambda a: a["outputs"], f"{_path(target)}:predict", body)
        if len(description.outputs) == 1:  # goes without its name
            outputs = {next(iter(description.outputs)): outputs}
        return {n: _array(x, description.outputs[n]) for n, x in outputs.items()}

    def metadata(self, target: Target) -> tuple[int, dict]:
        return self._ask(_described, f"{_path(target)}/metadata")

    def status(self, target: Target) -> dict[int, str]:
        return self._ask(_states, _path(target))

    def close(self) -> None:
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
        if answer.status_code != 200:
            code = _CODES.get(answer.status_code, "UNKNOWN")
            raise ServingError(code, _sentence(answer), answer.status_code)
        try:
            return read(answer.json())
        except (ValueError, KeyError, TypeError) as error:
            sentence = f"{answer.url} answers, but not as TensorFlow Serving does."
            raise ServingError("UNKNOWN", sentence, answer.status_code) from error


def _described(answer):
    version = int(answer["model_spec"]["version"])
    return version, answer["metadata"]["signature_def"]


def _states(answer):
    states = answer["model_version_status"]
    return {int(state["version"]): state["state"] for state in states}


def _path(target):
    path = f"/v1/models/{requests.utils.quote(target.model, safe='')}"
    if target.version is not None:
        return f"{path}/versions/{target.version}"
    if target.label is not None:
        return f"{path}/labels/{requests.utils.quote(target.label, safe='')}"
    return path


def _sentence(answer):
    try:
        return answer.json()["error"]
    except (ValueError, KeyError, TypeError):  # not from such a server
        return f"{answer.url} answered {answer.status_code} {answer.reason}."


def _listed(x):
    return x.tolist() if not x.dtype.hasobject else _mapped(x.tolist(), _json_string)


def _array(value, tensor: Tensor):
    if tensor.dtype.hasobject:
        value = _mapped(value, _bytes)
    return np.array(value, tensor.dtype)


def _mapped(value, function):
    if isinstance(value, list):
        return [_mapped(item, function) for item in value]
    return function(value)


def _json_string(item):
    if isinstance(item, bytes):
        return {"b64": base64.b64encode(item).decode()}
    return item


def _bytes(item):
    return base64.b64decode(item["b64"]) if isinstance(item, dict) else item.encode()
