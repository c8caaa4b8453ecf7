"""The bodies of REST predictions: rows or columns in, rows or columns out."""

import json
import math
import re
from typing import NamedTuple

import numpy as np

from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server.json_values import (
    is_base64,
    shown,
    to_array,
    to_row_texts,
    to_text,
)
from keras_fusion.serving.server.servable import Spec

ROWS, COLUMNS = "instances", "inputs"
# What may be beyond 64 bits or a double: only then is each number looked at.
_LONG = re.compile(r"[0-9]{19}|[eE]\+?[0-9]{3}")


class Body(NamedTuple):
    """A parsed body.

    Attributes:
        signature: That it names, or "".
        document: All that it holds.
    """

    signature: str
    document: dict


def parse(body: bytes) -> Body:
    """The body as JSON.

    Raises:
        ServingError: If it is no JSON object or names its signature by no string.
    """
    document = _document(body)
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise _malformed(
            document,
            "not formatted correctly. 'signature_name' key must be a string value.",
        )
    return Body(signature, document)


def arrays_of(body: Body, specs: dict[str, Spec]) -> tuple[str, dict[str, np.ndarray]]:
    """The format, `ROWS` or `COLUMNS`, and the arrays by input name.

    As by TensorFlow Serving, columns that the signature does not know are passed over
    while unknown keys of a row are refused.

    Raises:
        ServingError: If a value is missing, unknown or does not fit.
    """
    if not specs:
        signature = body.signature or "DEFAULT"
        raise invalid(f"Failed to get input map for signature: {signature}")
    form = _form(body.document)
    read = _from_rows if form == ROWS else _from_columns
    return form, read(body.document[form], specs)


def response(outputs: dict[str, np.ndarray], form: str) -> str:
    """The body of the answer; a single output goes without its name.

    Raises:
        ServingError: If rows are asked for and the outputs have none.
    """
    if form == COLUMNS:
        texts = {n: to_text(x, _holds_bytes(n, x)) for n, x in outputs.items()}
        return f'{{"outputs": {_object(texts)}}}'
    columns = {
        name: to_row_texts(x, _holds_bytes(name, x))
        for name, x in _with_rows(outputs).items()
    }
    rows = [_object(dict(zip(columns, row))) for row in zip(*columns.values())]
    return f'{{"predictions": [{", ".join(rows)}]}}'


def _form(document):
    given = [key for key in (ROWS, COLUMNS) if key in document]
    if not given:
        raise invalid("Missing 'inputs' or 'instances' key")
    if len(given) > 1:
        raise _malformed(
            document,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist ",
        )
    if given == [ROWS] and not isinstance(document[ROWS], list):
        raise _malformed(document, "Excepting 'instances' to be an list/array")
    if given == [ROWS] and not document[ROWS]:
        raise _malformed(document, "No values in 'instances' array")
    return given[0]


def _document(body):
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        text = body.decode("utf-8-sig")
        exactly = {"parse_int": _integer, "parse_float": _decimal}
        document = json.loads(text, **(exactly if _LONG.search(text) else {}))
    except RecursionError:
        raise invalid("JSON Parse error: The document is nested too deeply") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are
        raise invalid(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise _malformed(document, "Is not object")
    return document


def _integer(text):
    """As TensorFlow Serving reads it: a decimal number where 64 bits do not do."""
    decimal, number = _decimal(text), int(text)
    return number if -(2**63) <= number < 2**64 else decimal


def _decimal(text):
    number = float(text)
    if math.isinf(number):
        raise ValueError("Number too big to be stored in double.")
    return number


def _malformed(document, sentence):
    return invalid(f"JSON Value: {shown(document)} {sentence}")


def _from_rows(rows, specs):
    if len(specs) > 1 and not isinstance(rows[0], dict):
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple "
            "input tensors required as per tensorinfo_map"
        )
    named = _is_named(rows[0])
    columns = {}
    for i, row in enumerate(rows):
        if _is_named(row) and not named:
            raise invalid(
                f"Expecting value/list but got object at item {i} of input list"
            )
        if named and not _is_named(row):
            raise invalid(f"Expecting object but got list at item {i} of input list")
        for name, value in (row if named else {next(iter(specs)): row}).items():
            _add(columns, name, value, specs, f"{i} key: {name}" if named else f"{i}")
        if named and row.keys() != specs.keys():
            raise invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object: "
                f"{shown(row)} keys must be equal to: {','.join(sorted(specs))}"
            )
    return {name: np.stack(column) for name, column in columns.items()}


def _add(columns, name, value, specs, element):
    try:
        if name not in specs:
            raise invalid(f"JSON object: does not have named input: {name}")
        x = to_array(value, specs[name].dtype)
        first = columns.setdefault(name, [x])[0]
        if x.size != first.size:
            raise invalid(f"Expecting tensor size: {first.size} but got: {x.size}")
        if x.shape != first.shape:
            raise invalid(f"Expecting shape {_sizes(first)} but got: {_sizes(x)}")
    except ServingError as error:
        raise invalid(
            f"Failed to process element: {element} of 'instances' list. "
            f"Error: {error.code}: {error}"
        ) from None
    if x is not first:
        columns[name].append(x)


def _from_columns(columns, specs):
    if _is_named(columns):
        for name in specs:
            if name not in columns:
                raise invalid(f"Missing named input: {name} in 'inputs' object.")
        return {name: to_array(columns[name], s.dtype) for name, s in specs.items()}
    if len(specs) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple input "
            "tensors required as per tensorinfo_map"
        )
    return {name: to_array(columns, spec.dtype) for name, spec in specs.items()}


def _with_rows(outputs):
    rows = None
    for name, x in outputs.items():
        if not x.ndim:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if rows not in (None, len(x)):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(x)} "
                f"expecting: {rows}"
            )
        rows = len(x)
    return outputs


def _is_named(value):
    return isinstance(value, dict) and not is_base64(value)


def _holds_bytes(name, x):
    return x.dtype == object and name.endswith("_bytes")


def _sizes(x):
    return "[" + ",".join(map(str, x.shape)) + "]"


def _object(texts):
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "{" + ", ".join(f"{json.dumps(n)}: {t}" for n, t in texts.items()) + "}"
