"""What is learned from the training rows of a table, and done to any row."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from keras_fusion.common.files import write_json
from keras_fusion.datasets.columns import encoders, modality, raw
from keras_fusion.datasets.columns.column import (
    Column,
    as_values,
    fitted,
    noted,
    placed,
)
from keras_fusion.datasets.columns.inference import (
    IGNORED,
    UNUSED,
    kind_of,
    kinds_of,
)
from keras_fusion.datasets.columns.kinds import KINDS
from keras_fusion.datasets.columns.read_rows import streamed
from keras_fusion.datasets.errors import DataError

FILE = "columns.json"
_VERSION = 1


@dataclass(frozen=True)
class Preprocessor:
    """Columns of a table -> the arrays of a model, and back nothing.

    Everything in it was learned from training rows; it is plain data, and one JSON
    file. `fit` makes one.

    Attributes:
        modalities: Their columns, by the names that a model's inputs have.
        left_out: Why a column is no part of them, by its name.

    Example:
        >>> from keras_fusion.datasets import Preprocessor
        >>> table = {"age": [31, 45, None, 8], "sex": ["f", "m", "f", "m"]}
        >>> learned = Preprocessor.fit(table)
        >>> inputs, mask = learned.encode({"sex": ["m", "x"], "age": [45, None]})
        >>> inputs["table"].shape, inputs["table"][:, 2].tolist()
        ((2, 3), [3.0, 1.0])
    """

    modalities: dict[str, tuple[Column, ...]]
    left_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        table: Mapping,
        modalities: dict | None = None,
        *,
        ignore: tuple[str, ...] = (),
        group_by: str | None = None,
        folder: str | Path | None = None,
        tokenizers: Mapping[str, str] | None = None,
    ) -> "Preprocessor":
        """Learns from a table's training rows.

        Args:
            table: By column `(N,)` values of any type.
            modalities: As `modality.as_said` takes them; None takes all columns that
                can help, by kind.
            ignore: Columns that are left out.
            group_by: As `modality.by_kind` takes it.
            folder: To which paths in the table are relative; None is this folder.
            tokenizers: `"keras_hub:PRESET"` by modality, for those that are a text.

        Raises:
            ValueError: If a column is not there, is not of the kind that it is said to
                be, or none is left.
        """
        table = {name: as_values(x) for name, x in table.items()}
        left_out = dict.fromkeys(ignore, IGNORED)

        def known(name):
            if name not in table:
                raise DataError(f"no column {name!r}; there is {', '.join(table)}")
            return kind_of(table[name]) or "category"

        if modalities:
            wanted = modality.as_said(modalities, known)
        else:
            rest = {n: x for n, x in table.items() if n not in left_out}
            kinds, reasons = kinds_of(rest)
            left_out |= reasons
            wanted = modality.by_kind(kinds, group_by) if kinds else {}
        if not wanted:
            reasons = "; ".join(f"{n!r}: {why}" for n, why in left_out.items())
            raise DataError(f"no column is left to learn from: {reasons}")
        wanted = modality.with_tokenizers(wanted, tokenizers or {})
        taken = {column.name for columns in wanted.values() for column in columns}
        left_out = {n: why for n, why in left_out.items() if n not in taken}
        for name in table.keys() - taken - left_out.keys():
            left_out[name] = UNUSED
        learned = {
            name: tuple(fitted(column, table, folder) for column in columns)
            for name, columns in wanted.items()
        }
        return cls(learned, {n: left_out[n] for n in table if n in left_out})

    def encode(
        self,
        table: Mapping,
        folder: str | Path | None = None,
        notes: list[str] | None = None,
        stream: bool = False,
        rows: np.ndarray | None = None,
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Arrays `(N, ...)` by modality, and `(N, M)` bool, False where one is absent.

        A column that the table has not is missing in every row; one that is not known
        is not read.

        Args:
            table: By column `(N,)` values of any type, in any order.
            folder: As for `fit`.
            notes: Gets a sentence for every column that is not there or has values
                that cannot be read; it names the first of them and their rows.
            stream: Whether the arrays of files are `ReadRows`, which are read as they
                are indexed. Who is present is found in one pass over the files.
            rows: `(N,)` numbers of these rows in their file, for notes; None counts
                from 0.

        Raises:
            ValueError: If the table has none of the columns, or names a file out of
                reach.
        """
        values = self.values(table, folder)
        encoded = {}
        for column in self.columns:
            x = values[column.name]
            read_later = stream and hasattr(KINDS[column.kind], "FILES")
            encoded[column.name] = (
                streamed(column, x) if read_later else column.encode(x)
            )
        if notes is not None:
            for column in self.columns:
                there = column.name in table
                present = encoded[column.name][1]
                notes += noted(column, values[column.name], present, there, rows)
        inputs, masks = {}, []
        for name, columns in self.modalities.items():
            arrays, present = zip(*(encoded[column.name] for column in columns))
            inputs[name] = np.hstack(arrays) if arrays[1:] else arrays[0]
            masks.append(np.any(present, axis=0))
        return inputs, np.stack(masks, axis=1)

    def values(
        self, table: Mapping, folder: str | Path | None = None
    ) -> dict[str, np.ndarray]:
        """The values `(N,)` of every column, None in those that the table has not."""
        rows = self._rows(table)
        found = {}
        for column in self.columns:
            there = column.name in table
            values = (
                as_values(table[column.name]) if there else np.full(rows, None, object)
            )
            found[column.name] = placed(column, values, folder)
        return found

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Column, modality, kind and details, a row for each column of the table."""
        rows = []
        for name, columns in self.modalities.items():
            for column in columns:
                details = [KINDS[column.kind].words(column.state)]
                if column.missing:
                    details.append(f"{column.missing:,} of {column.rows:,} missing")
                words = ", ".join(filter(None, details))
                rows.append((column.name, name, column.kind, words))
        return rows + [(n, "", "left out", why) for n, why in self.left_out.items()]

    def encoders(
        self,
        takes: str = "aligned",
        units: int = 64,
        depth: int = 1,
        dropout: float = 0.0,
        texts: Mapping[str, str] | None = None,
    ) -> dict:
        """The default encoder of each modality, or of a text the one that is named.

        Args:
            takes, units, depth, dropout: As for `encoders.describe`.
            texts: `"transformer"` by modality.
        """
        named = texts or {}
        found = {
            name: encoders.describe(
                columns, takes, units, depth, dropout, named.get(name)
            )
            for name, columns in self.modalities.items()
        }
        return {name: layers for name, layers in found.items() if layers}

    def only(self, *modalities: str) -> "Preprocessor":
        """The same for these modalities alone."""
        kept = {m: x for m, x in self.modalities.items() if m in modalities}
        return Preprocessor(kept, self.left_out)

    def graph(self):
        """`encode` in TensorFlow; see `raw.graph`."""
        return raw.graph(self)

    @property
    def columns(self) -> list[Column]:
        """Those of all modalities, each once."""
        every = [c for columns in self.modalities.values() for c in columns]
        return list({column.name: column for column in every}.values())

    def save(self, path: str | Path) -> None:
        """Writes one JSON file, whole or not at all."""
        modalities = {m: [asdict(c) for c in x] for m, x in self.modalities.items()}
        content = {"version": _VERSION, "modalities": modalities}
        write_json(Path(path), content | {"left_out": self.left_out})

    @classmethod
    def load(cls, path: str | Path) -> "Preprocessor":
        """What `save` wrote.

        Raises:
            ValueError: If there is no such file, or it is another.
        """
        path = Path(path)
        if not path.is_file():
            raise DataError(f"There are no columns {path}.")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = {
                name: tuple(Column(**column) for column in columns)
                for name, columns in content["modalities"].items()
            }
            return cls(found, content["left_out"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} holds no columns: {error!r}.") from error

    def _rows(self, table):
        lengths = {c.name: len(table[c.name]) for c in self.columns if c.name in table}
        if not lengths:
            names = ", ".join(column.name for column in self.columns)
            raise DataError(
                f"expected some of the columns {names}; received {', '.join(table)}"
            )
        if len(set(lengths.values())) > 1:
            raise DataError(f"expected columns of one length; received {lengths}")
        return next(iter(lengths.values()))


def graph_of(file: str | Path):
    """The graph of what `save` wrote, with `inputs`, their specs by name."""
    import keras

    preprocessor = Preprocessor.load(file)
    graph = preprocessor.graph()
    graph.inputs = {
        name: keras.KerasTensor((None, *shape), dtype)
        for name, (_, dtype, shape) in raw.inputs(preprocessor).items()
    }
    return graph
