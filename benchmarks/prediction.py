"""`keras-fusion predict` from table to table, against a bare loop over its batches.

    python -m benchmarks.prediction

The table has two numbers, a category and a text in every row. `predict` is what the
command does, in parts that outlive a kill; `loop` reads the same batches, encodes them
by the same preprocessor, calls `model.predict` and writes what it gives as it is.
"""

import tempfile
from pathlib import Path

import numpy as np

from benchmarks.report import main, target
from benchmarks.timing import interleave, milliseconds, ratio

ROWS = 100_000
WORDS = "red blue green old new small large warm cold soft hard round flat".split()


def measure(arguments) -> list[dict]:
    """The rows of this process' backend; milliseconds are those of the whole table."""
    rows, rounds = (2000, 1) if arguments.quick else (ROWS, 3)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        model, preprocessor = model_of(Path(folder))
        for kind in ("parquet", "csv"):
            file = table_of(Path(folder, f"rows.{kind}"), rows)
            cases = _cases(model, preprocessor, file, Path(folder))
            times = interleave(cases, rounds, block=0.0)
            speed = target(ratio(times, "loop", "predict"), at_least=0.8)
            found.append(
                {
                    "case": f"{kind} of {rows:,} rows, 4 columns",
                    "ms": milliseconds(times),
                    "ratios": {"rows a second / loop": speed},
                }
            )
    return found


def _columns(rows):
    rng = np.random.default_rng(0)
    return {
        "age": rng.integers(1, 90, rows).astype(float).tolist(),
        "weight": rng.normal(70, 9, rows).round(1).tolist(),
        "ward": rng.choice(["north", "south", "west"], rows).tolist(),
        "report": [" ".join(words) for words in rng.choice(WORDS, (rows, 12))],
    }


def model_of(folder):
    """A model of such a table, not trained, as `train` saves one."""
    from keras_fusion import datasets, zoo
    from keras_fusion.experiments import saving, variants
    from keras_fusion.experiments.recipes import Recipe

    labels = {"ill": ["no", "yes"] * 500}
    data = datasets.table(_columns(1000) | labels, label="ill")
    recipe = Recipe(name="own", dataset="table", arguments={"units": 64})
    model = variants.build(recipe, data, modality_mask=True)
    deployed = zoo.deployable(model, data.statistics)
    return saving.save(deployed, data, folder), data.preprocessor


def table_of(path, rows):
    import pyarrow as pa
    from pyarrow import csv, parquet

    write = csv.write_csv if path.suffix == ".csv" else parquet.write_table
    write(pa.table(_columns(rows)), path)
    return path


def _cases(path, preprocessor, file, folder):
    from keras_fusion.common.names import MASK
    from keras_fusion.datasets.columns.reading import column_parts
    from keras_fusion.experiments import prediction_parts
    from keras_fusion.export import load

    output = folder / f"out{file.suffix}"

    def predict():
        prediction_parts.write(path, file, output)

    def loop():
        import pyarrow as pa
        from pyarrow import csv, parquet

        model = load(path)
        schema = pa.schema([("no", pa.float32()), ("yes", pa.float32())])
        write = csv.CSVWriter if file.suffix == ".csv" else parquet.ParquetWriter
        with write(folder / f"loop{file.suffix}", schema) as writer:
            for columns in column_parts(file, 10_000):
                inputs, present = preprocessor.encode(columns)
                outputs = model.predict(
                    inputs | {MASK: present}, batch_size=1000, verbose=0
                )
                found = outputs["probabilities"].T
                writer.write_table(pa.table(list(found), schema=schema))

    return {"predict": predict, "loop": loop}


if __name__ == "__main__":
    main("prediction", measure)
