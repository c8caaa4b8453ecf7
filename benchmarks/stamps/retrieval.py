"""Finding stamps: a picture by its caption, a caption by its sound, and so on.

    python -m benchmarks.stamps.prepare STAMPS prepared
    python -m benchmarks.stamps.retrieval prepared/stamps.csv

A `DualEncoder` learns without labels which caption, picture and sound belong together.
It is judged on the test part, whose captions it has not seen: stamps of one caption are
right for each other. `retrieval.json` gets recall at 1, 5 and 10.
"""

import argparse
import itertools
from pathlib import Path

import keras
import numpy as np

from keras_fusion import zoo
from keras_fusion.common.files import write_json
from keras_fusion.common.provenance import computed_on
from keras_fusion.datasets import Preprocessor
from keras_fusion.datasets.columns.reading import read_columns
from keras_fusion.experiments import recipes
from keras_fusion.metrics import recall_at_k

MODALITIES = recipes.read(str(Path(__file__).with_name("recipe.toml"))).modalities
UNITS, DROPOUT, BATCH, K = 64, 0.3, 128, (1, 5, 10)


def run(table: Path, seed: int, epochs: int = 200) -> dict:
    """Recall on the test part, by pair of modalities and k, its rows, and epochs."""
    columns = {n: np.asarray(x, object) for n, x in read_columns(table).items()}
    _, caption = np.unique(columns["caption"].astype(str), return_inverse=True)
    place = np.random.default_rng(seed).permutation(caption.max() + 1)[caption]
    part = np.digitize(place, np.quantile(place, [0.6, 0.8]))

    def rows(number):
        return {name: x[part == number] for name, x in columns.items()}

    folder = table.parent.resolve()
    prepared = Preprocessor.fit(rows(0), MODALITIES, folder=folder)
    train, validation, test = (
        inputs | {"modality_mask": mask}
        for inputs, mask in (prepared.encode(rows(n), folder) for n in range(3))
    )
    keras.utils.set_random_seed(seed)
    encoders = prepared.encoders("aligned", UNITS, 1, DROPOUT)
    shapes = {name: train[name].shape[1:] for name in MODALITIES}
    model = zoo.DualEncoder(shapes, encoders=encoders, units=UNITS, modality_mask=True)
    model.compile(keras.optimizers.AdamW(1e-3))
    stop = keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    how = {"epochs": epochs, "batch_size": BATCH, "callbacks": [stop], "verbose": 0}
    model.fit(train, validation_data=(validation,), **how)
    found = model.predict(test, batch_size=BATCH, verbose=0)
    names, same, recall = list(shapes), caption[part == 2], {}
    for a, b in itertools.permutations(names, 2):
        there = test["modality_mask"][:, [names.index(a), names.index(b)]]
        recall[f"{a} -> {b}"] = recall_at_k(found[a], found[b], K, same, there)
    return {"recall": recall, "rows": len(same), "epochs": len(model.history.epoch)}


def main(arguments=None) -> None:
    """Trains and judges by each seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="stamps.csv that prepare.py wrote")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--output", type=Path, default=Path("retrieval.json"))
    options = parser.parse_args(arguments)
    runs = {str(seed): run(options.table, seed) for seed in options.seeds}
    write_json(options.output, {"runs": runs, "computed_on": computed_on()})
    for pair in next(iter(runs.values()))["recall"]:
        each = np.array(
            [[100 * r["recall"][pair][k] for k in K] for r in runs.values()]
        )
        found = zip(K, each.mean(axis=0), each.std(axis=0, ddof=1))
        print(pair, *(f"{m:.1f}±{s:.1f} at {k}" for k, m, s in found), sep="   ")


if __name__ == "__main__":
    main()
