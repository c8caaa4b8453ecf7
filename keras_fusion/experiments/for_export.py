"""What an export takes of all that `train` left beside a `.keras` file."""

from pathlib import Path

from keras_fusion.experiments import kept_rows, prediction, record, table_columns

_METRICS = "validation", "epochs", "seconds", "parameters", "network_share"


def for_export(path: str | Path) -> dict:
    """Arguments of `export.export` for a model that `train` saved.

    Args:
        path: The `.keras` file.

    Returns:
        `samples`, `trained`, `labels`, `columns`, `not_inputs`, `raw` and `about`; of
        what is not there None, or nothing.
    """
    path = Path(path)
    raw, schema = table_columns.raw_columns(path), prediction.schema_of(path)
    known = None if schema is None else schema.to_json()
    return {
        "samples": kept_rows.samples(path),
        "trained": kept_rows.trained(path),
        "labels": prediction.class_names(path),
        "columns": None if raw else prediction.columns(path),
        "not_inputs": known and {k: known[k] for k in ("label", "left_out")},
        "raw": raw,
        "about": _about(path),
    }


def _about(path):
    """Recipe and metrics of the run that a model comes from, where it was left."""
    run = record.read(path.parent)
    if run is None:
        return None
    return {"recipe": run.identity, "metrics": {k: getattr(run, k) for k in _METRICS}}
