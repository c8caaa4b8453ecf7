"""Values with a schema: frozen dataclasses, read strictly from TOML and JSON.

The type of a field says what fits, by pydantic; `said` adds the words for people. An
error is one sentence that names the key, what it takes, and what came.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Strict, TypeAdapter, ValidationError, WrapValidator
from pydantic_core import PydanticCustomError

from keras_fusion.common import files
from keras_fusion.common.errors import InputError

T = TypeVar("T")
_SAID = "said"
STRICT = {"extra": "forbid"}  # what a dataclass holds as `__pydantic_config__`
NOT_GIVEN = "not given"  # in the metadata of a field that no file names


def said(words: str, fits: Callable = lambda value: True) -> WrapValidator:
    """Says in these words what a field takes, and has a further condition on it."""

    def check(value, handler):
        try:
            if fits(read := handler(value)):
                return read
        except ValidationError:
            pass
        raise PydanticCustomError(_SAID, "{words}", {"words": words})

    return WrapValidator(check)


Name = Annotated[str, Strict()]
Text = Annotated[Name, said("a text")]
Flag = Annotated[bool, Strict(), said("true or false")]
Count = Annotated[int, Strict(), said("a whole number from 1", lambda x: x > 0)]
Patience = Annotated[int, Strict(), said("a whole number from 0", lambda x: x >= 0)]
Number = Annotated[
    float, Strict(), said("a number from 0", lambda x: 0 <= x < math.inf)
]
Texts = Annotated[tuple[Name, ...], said("a list of texts")]
Seeds = Annotated[
    tuple[Annotated[int, Strict()], ...],
    said("a list of whole numbers from 0", lambda x: x and min(x) >= 0),
]
Table = Annotated[dict[str, Any], said("a table")]


def read(kind: type[T], given: Mapping, source: str) -> T:
    """The value of this dataclass that a table holds.

    Args:
        kind: A frozen dataclass.
        given: Values by key, as TOML and JSON give them.
        source: Where they stand, for the error.

    Raises:
        ValueError: If a key is unknown or missing, or a value is of another kind.
    """
    try:
        return _adapter(kind).validate_python(given)
    except ValidationError as error:
        raise InputError(_sentence(kind, error.errors(), source)) from None


def read_json(kind: type[T], path: Path) -> T:
    """The value of this dataclass that the program wrote into a file.

    Raises:
        ValueError: If the file is broken, or holds something else.
    """
    given = files.read_json(path)
    try:
        return _adapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} is broken: {place}: {first['msg']}.") from None


@functools.cache
def _adapter(kind):
    return TypeAdapter(kind)


def _sentence(kind, errors, source):
    first = errors[0]
    tables, key, kind = _place(kind, first["loc"])
    place = f"{source} [{'.'.join(tables)}]" if tables else source
    if first["type"] == "unexpected_keyword_argument":
        unknown = [e["loc"][-1] for e in errors if e["loc"][:-1] == first["loc"][:-1]]
        fields = [f for f in dataclasses.fields(kind) if not f.metadata.get(NOT_GIVEN)]
        known = [field.name for field in fields]
        return f"{place} has unknown keys {unknown}; the known ones are {known}."
    if first["type"] == "missing":
        return f"{place} names no `{key}`."
    words = first["ctx"]["words"] if first["type"] == _SAID else "a table"
    return f"{place}: {key} must be {words}; received {first['input']!r}."


def _place(kind, location):
    """The tables on the way to a key, the key, and the dataclass that holds it."""
    tables = []
    for key in location:
        types = {field.name: field.type for field in dataclasses.fields(kind)}
        if not dataclasses.is_dataclass(types.get(key)) or key == location[-1]:
            return tables, key, kind
        tables.append(key)
        kind = types[key]
    return tables, "", kind
