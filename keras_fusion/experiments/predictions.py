"""What a model predicted, row by row: for a table, a file or another program."""

import json
from pathlib import Path

import numpy as np

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import whole
from keras_fusion.common.names import (
    CONFLICT,
    DISAGREEMENT,
    EACH_LABEL,
    MEDIAN,
    MODALITY_WEIGHTS,
    RISK,
    SETS,
    SURVIVAL,
    UNCERTAINTY,
)
from keras_fusion.datasets.multilabel import SEPARATOR
from keras_fusion.experiments.survival_curves import median_times
from keras_fusion.export.reading import named_classes

_TEXT = ("class", "labels", "set")
FORMATS = (".csv", ".parquet", ".json")


def classes_of(outputs: dict, class_names: list[str] | None) -> list[str | None]:
    """The class of each row; None where its probabilities are no numbers.

    Args:
        outputs: Of `predict`, with `probabilities` `(B, K)`.
        class_names: One a class; None numbers them.
    """
    probabilities = outputs["probabilities"]
    names = class_names or [str(k) for k in range(probabilities.shape[-1])]
    found = named_classes(probabilities, names, outputs.get(MEDIAN))
    return [name or None for name in found]


def labels_of(outputs: dict, class_names: list[str] | None) -> list[list[str] | None]:
    """The labels of each row over one half; None where its numbers are not finite.

    Args:
        outputs: Of `predict`, with `label_probabilities` `(B, K)`.
        class_names: One a label; None numbers them.
    """
    return _over_one_half(outputs[EACH_LABEL], class_names)


def sets_of(outputs: dict, class_names: list[str] | None) -> list[list[str] | None]:
    """The set of classes of each row; None where its probabilities are no numbers.

    Args:
        outputs: Of `predict`, with `prediction_set` `(B, K)`.
        class_names: One a class; None numbers them.
    """
    finite = np.isfinite(outputs["probabilities"])
    return _over_one_half(np.where(finite, outputs[SETS], np.nan), class_names)


def _over_one_half(numbers, class_names):
    names = class_names or [str(k) for k in range(numbers.shape[-1])]
    return [
        [name for name, p in zip(names, row) if p > 0.5]
        if np.isfinite(row).all()
        else None
        for row in numbers
    ]


def document(
    outputs: dict, class_names: list[str] | None, ids: tuple | None, notes: tuple
) -> dict:
    """All outputs as JSON holds them; what is no finite number is null."""
    found = {name: _plain(np.asarray(x)) for name, x in outputs.items()}
    if class_names:
        found["times" if SURVIVAL in outputs else "class_names"] = class_names
    if SURVIVAL in outputs:
        found["median_time"] = _plain(medians_of(outputs, class_names))
    if "probabilities" in outputs and outputs["probabilities"].ndim == 2:
        found["classes"] = classes_of(outputs, class_names)
    if EACH_LABEL in outputs:
        found["labels"] = labels_of(outputs, class_names)
    if SETS in outputs:
        found["sets"] = sets_of(outputs, class_names)
    if ids is not None:
        found["ids"] = _plain(ids[1])
    if notes:
        found["notes"] = list(notes)
    return found


def save(
    path: str | Path,
    outputs: dict,
    class_names: list[str] | None,
    modalities: list[str],
    ids: tuple | None,
) -> None:
    """Writes one row for each that was predicted; it appears whole or not at all.

    Its columns are the row's id (or `row`, counted from 0), `class` (or `labels`, with
    `|` between several), `set` (likewise), `probability CLASS` for each, or
    `prediction`, or `risk`, `median time` (empty where it is later than all times) and
    `survival at TIME` for each, `uncertainty`, `disagreement` and `conflict`, and for
    each modality `weight MODALITY` and `contribution MODALITY`, as far as `outputs` has
    them. In JSON it is a list of such rows.

    Args:
        path: A file that ends in `.csv`, `.parquet` or `.json`.
        outputs: Of `predict`.
        class_names: One a class, or None.
        modalities: In the order of `modality_weights`.
        ids: Name and values of the column that names the rows, or None.

    Raises:
        ValueError: If the path ends in something else, or the outputs are maps.
        ImportError: If pyarrow is not installed, for csv and parquet.
    """
    path = Path(path)
    check_path(path)
    columns = columns_of(outputs, class_names, modalities, ids)
    with whole(path) as beside:
        if path.suffix == ".json":
            columns = {name: _plain(x) for name, x in columns.items()}
            rows = zip(*columns.values(), strict=True)
            content = [dict(zip(columns, row, strict=True)) for row in rows]
            beside.write_text(json.dumps(content, indent=1) + "\n")
            return
        from pyarrow import csv, parquet

        write = csv.write_csv if path.suffix == ".csv" else parquet.write_table
        write(as_arrow(columns), beside)


def check_path(path: str | Path) -> None:
    """Raises a ValueError unless `save` can write there."""
    if Path(path).suffix not in FORMATS:
        raise InputError(f"Expected a path that ends in {FORMATS}; received {path}.")


def columns_of(
    outputs: dict,
    class_names: list[str] | None,
    modalities: list[str],
    ids: tuple | None,
    first: int = 0,
) -> dict[str, np.ndarray]:
    """What `save` writes, `(B,)` arrays by name.

    Args:
        outputs, class_names, modalities, ids: As for `save`.
        first: Number of the first row, where there are no ids.
    """
    count = len(next(iter(outputs.values())))
    numbers = np.arange(first, first + count)
    columns = {ids[0] or "row": np.asarray(ids[1])} if ids else {"row": numbers}
    if RISK in outputs:
        columns |= _columns_of_times(outputs, class_names)
    elif "predictions" in outputs:
        found = outputs["predictions"].T
        several = len(found) > 1
        columns |= {
            f"prediction {k}" if several else "prediction": x
            for k, x in enumerate(found)
        }
    else:
        several = EACH_LABEL in outputs
        probabilities = outputs[EACH_LABEL if several else "probabilities"]
        if probabilities.ndim > 2:
            raise InputError(
                "Expected one prediction a row; received maps, which --json prints."
            )
        if several:
            columns["labels"] = _joined(labels_of(outputs, class_names))
        else:
            columns["class"] = np.array(classes_of(outputs, class_names), object)
        if SETS in outputs:
            columns["set"] = _joined(sets_of(outputs, class_names))
        for k in range(probabilities.shape[1]):
            name = class_names[k] if class_names else k
            columns[f"probability {name}"] = probabilities[:, k]
    for name in (UNCERTAINTY, DISAGREEMENT, CONFLICT):
        if name in outputs:
            columns[name] = np.asarray(outputs[name])
    of_modalities = {"weight": MODALITY_WEIGHTS, "contribution": "contributions"}
    for word, key in of_modalities.items():
        if key in outputs:
            found = zip(modalities, outputs[key].T, strict=True)
            columns |= {f"{word} {name}": x for name, x in found}
    return columns


def medians_of(outputs: dict, times: list[str]) -> np.ndarray:
    """`(B,)`: the time that half of such rows reach, NaN where none is told.

    Args:
        outputs: Of `predict`, with `survival` `(B, T)`.
        times: T texts.
    """
    return median_times(outputs[SURVIVAL], np.array(times, float))


def _columns_of_times(outputs, times):
    columns = {RISK: outputs[RISK][:, 0]}
    if SURVIVAL in outputs:
        columns["median time"] = medians_of(outputs, times)
        found = zip(times, outputs[SURVIVAL].T, strict=True)
        columns |= {f"survival at {time}": x for time, x in found}
    return columns


def _joined(rows):
    found = [None if names is None else SEPARATOR.join(names) for names in rows]
    return np.array(found, object)


def as_arrow(columns: dict[str, np.ndarray]):
    """The columns as a table of pyarrow's; null where a number is not finite."""
    import pyarrow as pa

    return pa.table(
        {
            name: pa.array(x.astype(np.float64), mask=~np.isfinite(x))
            if x.dtype.kind == "f"
            else pa.array(x.tolist(), pa.string() if name in _TEXT else None)
            for name, x in columns.items()
        }
    )


def _plain(x):
    """An array as lists, None where a number is not finite."""
    if x.dtype.kind == "f":
        x = np.where(np.isfinite(x), x.astype(object), None)
    return x.tolist()
