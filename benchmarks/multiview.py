"""The library on two data sets of several views, beside figures that others publish.

    python -m benchmarks.multiview

Ten random splits, 80 rows of a hundred for training, of which a fifth validates and
says when to stop. The test rows are judged as they are, and with conflicts as the
authors of ECML (Xu et al., 2024, Reliable Conflictive Multi-View Learning) put them in.
What is there in the results is not trained again. Data that are not there
(`KERAS_FUSION_DATA`) are left out.
"""

import json
import os
import statistics

os.environ["KERAS_BACKEND"] = "jax"  # all splits train in one compiled step

# ruff: noqa: E402
import jax
import numpy as np

from benchmarks import defaults_data, study
from benchmarks import defaults_training as steps
from benchmarks.defaults_data import Part, Table
from benchmarks.defaults_scaling import scaled
from benchmarks.report import ROOT
from keras_fusion.experiments.own_data import USUAL

RESULTS = ROOT / "benchmarks" / "results" / "multiview.json"
PAGE = ROOT / "benchmarks" / "multiview.md"
SPLITS, EPOCHS, FOLDS = 10, 200, 5
DATA = {"leaves100": defaults_data.leaves, "mfeat": defaults_data.digits}
PUBLISHED = {  # as their authors report them, in percent, with nothing in conflict
    "mfeat": {
        "TMC": "98.5",
        "ETMC": "98.8",
        "ECML": "98.7 to 99.4",
        "FUML": "99.2",
        "PML": "99.3",
    },
    "leaves100": {"TMC": "86.8", "ECML": "92.5", "FUML": "99.8", "PML": "99.9"},
}
CORRUPTION = {"modality_corruption": 0.3}
MODELS = {
    "default": USUAL,
    "concatenation": {"fusion": "Concatenation", "units": 64, "dropout": 0.5},
    "gated, corruption": USUAL | {"fusion": "GatedMultimodalUnit"} | CORRUPTION,
}
ENSEMBLE = "five folds of the default"
BEST = "best by validation"
TRAINING = {"learning_rate": 1e-3, "weight_decay": 1e-4, "scale": "auto"}
BATCH = 128
HEADER = """# Beside what others publish

Written by `python -m benchmarks.multiview --page` from
[results/multiview.json](results/multiview.json): test accuracy in percent, mean ±
standard deviation of {splits} random splits 80 to 20. A fifth of what trains validates
and says when to stop, of at most {epochs} epochs in batches of {batch}; two of the
published methods report the best epoch by test rows. `default` is the model that
`keras-fusion train FILE` makes. `{best}` is, split by split, the one of the
models above it that validates best. `{ensemble}` averages models each of
which validates on another fifth. What is not there was not run.

*conflict* has Gaussian noise of deviation 0.5 in some modalities of a tenth of the test
rows, each feature being scaled to [0, 1] beforehand, and in 40 of a hundred rows one
modality of a row of the next class. Nothing like it is in training, but where it says
`corruption`, which is `modality_corruption = 0.3`.
"""


def drawn(table: Table, seed: int, fold: int = 0) -> dict[str, Part]:
    """`train`, `validation`, `test` and `conflict` as `seed` draws them.

    Args:
        table: Features in [0, 1].
        seed: Of the split and of the conflicts.
        fold: Of five, the one that validates.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table.labels))
    own, test = np.split(order, [round(0.8 * len(order))])
    folds = np.array_split(own, FOLDS)
    validation = folds.pop(fold)
    rows = {"train": np.concatenate(folds), "validation": validation, "test": test}
    parts = {
        name: Part({m: x[r] for m, x in table.inputs.items()}, table.labels[r])
        for name, r in rows.items()
    }
    return parts | {"conflict": in_conflict(parts["test"], table, rng)}


def in_conflict(part: Part, table: Table, rng) -> Part:
    """The rows with noise in some, and a modality of the next class in others.

    Args:
        part: Rows with features in [0, 1].
        table: Has a row of each class to take a modality of.
        rng: Says which.
    """
    inputs = {m: np.array(x) for m, x in part.inputs.items()}
    names, count = list(inputs), len(part.labels)
    for row in rng.choice(count, count // 10, replace=False):
        for m in rng.choice(names, rng.integers(len(names)), replace=False):
            inputs[m][row] += rng.normal(0, 0.5, inputs[m].shape[1:])
    classes, first = np.unique(table.labels, return_index=True)
    for row in rng.choice(count, 2 * count // 5, replace=False):
        m = names[rng.integers(len(names))]
        other = first[(part.labels[row] + 1) % len(classes)]
        inputs[m][row] = table.inputs[m][other]
    return Part(inputs, part.labels)


def probabilities(splits: list[dict[str, Part]], arguments: dict) -> dict:
    """`validation`, a score by split, and `test` and `conflict` `(S, B, K)`."""
    prepared = [scaled(parts, TRAINING["scale"]) for parts in splits]
    data = {n: steps.stacked([parts[n] for parts in prepared]) for n in splits[0]}
    shapes = [
        (m, x.shape[2:]) for m, x in data["train"]["inputs"].items() if m != steps.MASK
    ]
    classes = int(data["train"]["labels"].max()) + 1
    arguments = json.dumps({"modality_dropout": 0.0, **arguments}, sort_keys=True)
    model, *rest = steps.compiled(tuple(shapes), classes, BATCH, arguments)
    kept, _, _, state = steps.trained(model, *rest, data, TRAINING, EPOCHS)

    def outputs(weights, state, inputs):
        return model.stateless_call(weights, state, inputs, training=False)[0]

    outputs = jax.jit(jax.vmap(outputs))
    return {"validation": kept["validation"], "epoch": kept["epoch"]} | {
        name: np.asarray(outputs(kept["weights"], state, data[name]["inputs"]))
        for name in ("test", "conflict")
    }


def judged(splits, found) -> dict:
    """Records by split, from `probabilities`."""
    labels = np.stack([parts["test"].labels for parts in splits])
    record = {k: np.round(found[k], 5).tolist() for k in ("validation", "epoch")}
    for name in ("test", "conflict"):
        right = found[name].argmax(axis=-1) == labels
        record[name] = np.round(right.mean(axis=1), 5).tolist()
    return record


def ensemble(table: Table) -> dict:
    """The record of the default's folds, averaged."""
    splits = [drawn(table, seed) for seed in range(SPLITS)]
    each = []
    for fold in range(FOLDS):
        parts = [drawn(table, seed, fold) for seed in range(SPLITS)]
        each.append(probabilities(parts, MODELS["default"]))
    mean = {k: np.mean([found[k] for found in each], axis=0) for k in each[0]}
    return judged(splits, mean)


def page(cells: dict) -> str:
    """The page in Markdown, from records by data set and method."""
    text = HEADER.format(
        splits=SPLITS, best=BEST, ensemble=ENSEMBLE, epochs=EPOCHS, batch=BATCH
    )
    for data, found in cells.items():
        text += f"\n## {data}\n\n| | accuracy | conflict |\n|---|---|---|\n"
        own = {n: found[n] for n in MODELS if n in found}
        rows = own | ({BEST: best(own)} if len(own) > 1 else {}) | found
        for name, record in rows.items():
            scores = [_shown(record[key]) for key in ("test", "conflict")]
            text += f"| {name} | {' | '.join(scores)} |\n"
        for name, score in PUBLISHED[data].items():
            text += f"| {name}, as published | {score} | |\n"
    return text


def best(records: dict) -> dict:
    """Split by split the record of what validates best, the first of equal ones."""
    chosen = [
        max(records, key=lambda name: records[name]["validation"][k])
        for k in range(SPLITS)
    ]
    return {
        key: [records[name][key][k] for k, name in enumerate(chosen)]
        for key in ("test", "conflict")
    }


def _shown(scores):
    return (
        f"{100 * statistics.fmean(scores):.1f} ± {100 * statistics.stdev(scores):.1f}"
    )


def main():
    parser = study.parser(__doc__, RESULTS)
    parser.add_argument("--only", nargs="+", choices=[*MODELS, ENSEMBLE])
    arguments = parser.parse_args()
    cells = study.read(arguments.results)
    if arguments.page:
        PAGE.write_text(page(cells))
        return
    for name in arguments.only or [*MODELS, ENSEMBLE]:
        for data, read in DATA.items():
            if name in cells.get(data, {}):
                continue
            table = study.table(data, read)
            if table is None:
                continue
            table = _scaled(table)
            if name == ENSEMBLE:
                record = ensemble(table)
            else:
                splits = [drawn(table, seed) for seed in range(SPLITS)]
                record = judged(splits, probabilities(splits, MODELS[name]))
            cells.setdefault(data, {})[name] = record
            study.keep(arguments.results, cells, f"{data}: {name}")


def _scaled(table):
    """Every feature in [0, 1] over all rows, as those do whose figures stand beside."""

    def to_unit(x):
        low, high = x.min(axis=0), x.max(axis=0)
        return (x - low) / np.where(high > low, high - low, 1)

    return table._replace(inputs={m: to_unit(x) for m, x in table.inputs.items()})


if __name__ == "__main__":
    main()
