"""Which columns make which modality."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from keras_fusion.datasets.columns.kinds import KINDS, SMALL
from keras_fusion.datasets.errors import DataError

TABLE = "table"
_PREFIXED = re.compile(r"([^_]+)_.*[0-9]+")
_GROUPINGS = ("kind", "prefix")


@dataclass(frozen=True)
class Wanted:
    """A column of a modality, before anything is learned about it.

    Attributes:
        name: Of the column in the table.
        kind: One of `KINDS`.
        options: Of the kind's `fit`.
    """

    name: str
    kind: str
    options: dict


def by_kind(kinds: dict[str, str], group_by: str | None) -> dict[str, list[Wanted]]:
    """The columns of each modality, where nobody says so.

    Args:
        kinds: The kind of every column, by its name.
        group_by: `"kind"`: all small values are the modality `table`, every other
            column one of its own; `"prefix"`: columns whose names agree up to the
            first `_` are one; None is the second where all are numbers named as
            `rgb_0` and `rgb_1` are, else the first.
    """
    if group_by not in (None, *_GROUPINGS):
        raise DataError(f"expected group_by in {_GROUPINGS}; received {group_by!r}")
    if "" in kinds:
        raise DataError(
            "expected a name for every column; one has none: name it, or leave it out "
            'by ignore = [""]'
        )
    named = all(_PREFIXED.fullmatch(name) for name in kinds)
    if group_by is None and named and set(kinds.values()) == {"number"}:
        group_by = "prefix"
    groups = {}
    for name, kind in kinds.items():
        if group_by == "prefix" and kind in SMALL:
            group = name.partition("_")[0] or name
        else:
            group = TABLE if kind in SMALL else name
        groups.setdefault(group, []).append(Wanted(name, kind, {}))
    return groups


def as_said(spec: dict, kind_of) -> dict[str, list[Wanted]]:
    """The columns of each modality as a recipe says them.

    Args:
        spec: By modality `{"columns": [name, ...]}`, `{"columns": {name: kind}}` (the
            kind a name or `{"kind": name, option: value}`), or one column by its kind
            and options, such as `{"text": name, "length": 64}`.
        kind_of: From a column's name to its kind, where the recipe leaves it out.

    Raises:
        ValueError: If a modality says neither or both, or mixes kinds that cannot be
            one modality.
    """
    return {name: _wanted(name, table, kind_of) for name, table in spec.items()}


def with_tokenizers(
    wanted: dict[str, list[Wanted]], tokenizers: Mapping[str, str]
) -> dict[str, list[Wanted]]:
    """The columns of each modality, of which texts have these tokenizers by modality.

    One that a recipe says itself stays.
    """

    def given(name, column):
        if column.kind != "text" or name not in tokenizers:
            return column
        own = {"tokenizer": tokenizers[name]}
        return replace(column, options=own | column.options)

    return {name: [given(name, c) for c in x] for name, x in wanted.items()}


def _wanted(modality, table, kind_of):
    said = [key for key in table if key in KINDS or key == "columns"]
    if len(said) != 1:
        raise DataError(
            f"expected [modalities.{modality}] to say `columns` or one column by its "
            f"kind ({', '.join(KINDS)}); received {list(table)}"
        )
    (key,) = said
    options = {k: v for k, v in table.items() if k != key}
    if key != "columns":
        return [Wanted(_text(modality, table[key]), key, options)]
    columns = table["columns"]
    if isinstance(columns, list):
        for name in columns:
            _text(modality, name)
        columns = {name: kind_of(name) for name in columns}
    elif not isinstance(columns, dict):
        raise DataError(
            f"expected the columns of [modalities.{modality}] to be a list of names, "
            f"or a table of a kind for each name; received {columns!r}"
        )
    wanted = [_of_kind(name, kind) for name, kind in columns.items()]
    large = [column for column in wanted if column.kind not in SMALL]
    if not wanted or options or (large and len(wanted) > 1):
        raise DataError(
            f"expected the columns of [modalities.{modality}] to be of the kinds "
            f"{', '.join(SMALL)}, or one alone; received "
            + ", ".join([*(f"{c.name} ({c.kind})" for c in wanted), *options])
        )
    return wanted


def _text(modality, name):
    if not isinstance(name, str) or not name:
        raise DataError(
            f"expected the name of a column in [modalities.{modality}]; received "
            f"{name!r}"
        )
    return name


def _of_kind(name, kind):
    options = dict(kind) if isinstance(kind, dict) else {"kind": kind}
    if not isinstance(options.get("kind"), str):
        raise DataError(f"expected the kind of {name!r} by its name; received {kind!r}")
    return Wanted(name, options.pop("kind"), options)
