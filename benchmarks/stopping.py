"""When a training on few rows should stop, and which of its weights it should keep.

    python -m benchmarks.stopping

A model as `keras-fusion train FILE` makes it is trained once on each of ten splits of
every data set, without stopping, and every epoch is judged. So all rules are compared
on the same trainings. A rule is chosen by rows that are out of fold: they neither train
nor validate. The test rows are for the rule that was and the one that is. Data that are
not there (`KERAS_FUSION_DATA`) are left out.
"""

import json
import os
import statistics

os.environ["KERAS_BACKEND"] = "jax"  # all splits train in one compiled step

# ruff: noqa: E402
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import defaults_data, study
from benchmarks.defaults_data import Case, Part, Table
from benchmarks.report import ROOT
from benchmarks.stopping_rules import BEFORE, NOW, RULES, kept
from keras_fusion.datasets.splitting import draw
from keras_fusion.experiments.evaluation import paired_interval
from keras_fusion.experiments.own_data import USUAL
from keras_fusion.experiments.recipes import Training
from keras_fusion.experiments.reports.tables import points

RESULTS = ROOT / "benchmarks" / "results" / "stopping.json"
PAGE = ROOT / "benchmarks" / "stopping.md"
SPLITS, EPOCHS = 10, 200
CASES = {
    "wine": Case(defaults_data.wine),
    "cancer": Case(defaults_data.cancer),
    "cancer, 20 labels": Case(defaults_data.cancer, 20),
    "small digits, 10 labels": Case(defaults_data.small_digits, 10),
    "small digits": Case(defaults_data.small_digits),
    "leaves, 4 labels": Case(defaults_data.leaves, 4),
    "leaves": Case(defaults_data.leaves),
    "mfeat, 10 labels": Case(defaults_data.digits, 10),
    "mfeat, 30 labels": Case(defaults_data.digits, 30),
    "spoken digits": Case(defaults_data.spoken_digits),
}
PATIENCE = Training().patience
HEADER = """# When to stop

Written by `python -m benchmarks.stopping --page` from
[results/stopping.json](results/stopping.json). A model as `keras-fusion train FILE`
makes it (`patience = {patience}`) on ten splits of every data set, a quarter or a fifth
of the rows for validation; at most 600 rows train. The first table has the accuracy in
percent on rows that are out of fold, by which the rule was chosen, and in brackets the
median of the epoch that is kept and of the epochs that are trained. The second one has
test rows: the default before, "{before}", the default now, which is
"{now}", and the difference with its 95 % interval over the splits,
with a star where that holds no zero.

"""


def split(case: Case, table: Table, seed: int) -> dict[str, Part]:
    """`train`, `validation`, `out of fold` and `test`, in proportion by class."""
    rng, labels = np.random.default_rng(seed), table.labels
    rows = np.arange(len(labels))
    few, count = case.labels_per_class, defaults_data.ROWS * 5 // 4
    test, rest = draw(rows, labels, lambda n: round(n / 4), rng)
    if few:
        own, judged = draw(rest, labels, lambda n: few, rng)
    else:
        judged, own = draw(rest, labels, lambda n: round(n / 4), rng)
        own = rng.permutation(own)[:count]
    share = 5 if few else 4
    validation, train = draw(own, labels, lambda n: max(1, round(n / share)), rng)
    parts = {
        "train": rng.permutation(train)[: defaults_data.ROWS],
        "validation": validation,
        "out of fold": judged,
        "test": test,
    }
    return {
        name: Part({m: x[r] for m, x in table.inputs.items()}, labels[r])
        for name, r in parts.items()
    }


def traces(splits: list[dict[str, Part]]) -> dict:
    """The training on all splits, epoch by epoch.

    Returns:
        `{part: {"loss": (S, E), "accuracy": (S, E)}}` for what does not train.
    """
    from benchmarks import defaults_training as steps
    from benchmarks.defaults_scaling import scaled

    prepared = [scaled(parts, "auto") for parts in splits]
    data = {n: steps.stacked([parts[n] for parts in prepared]) for n in splits[0]}
    train = data.pop("train")
    shapes = [(m, x.shape[2:]) for m, x in train["inputs"].items() if m != steps.MASK]
    classes = int(max(d["labels"].max() for d in (train, *data.values()))) + 1
    batch = min(Training().batch_size, train["labels"].shape[1])
    arguments = json.dumps(USUAL, sort_keys=True)
    model, train_epoch, judge = steps.compiled(tuple(shapes), classes, batch, arguments)
    weights, state = steps.first_weights(model, len(splits))
    moments = [jnp.zeros_like(w) for w in weights], [jnp.zeros_like(w) for w in weights]
    rates = {k: getattr(Training(), k) for k in ("learning_rate", "weight_decay")}
    found = {name: {"loss": [], "accuracy": []} for name in data}
    for epoch in range(EPOCHS):
        keys = jax.random.split(jax.random.key(epoch), len(splits))
        carry = weights, state, moments
        weights, state, moments = train_epoch(rates, *carry, keys, epoch, train)
        for name, part in data.items():
            for measure, x in zip(found[name], judge(weights, state, part)):
                found[name][measure].append(np.asarray(x))
    return {
        name: {measure: np.stack(x, axis=-1) for measure, x in measures.items()}
        for name, measures in found.items()
    }


def judged(found: dict) -> dict:
    """By rule: `epochs` trained, the `epoch` kept (from 1), and its weights' scores."""
    validation, rows = found["validation"], {}
    for name, rule in RULES.items():
        pairs = zip(validation["accuracy"], validation["loss"])
        epochs, trained = zip(*(kept(*pair, rule, PATIENCE) for pair in pairs))
        rows[name] = {"epoch": [epoch + 1 for epoch in epochs], "epochs": trained}
        for part in ("out of fold", "test"):
            scores = found[part]["accuracy"][np.arange(len(epochs)), list(epochs)]
            rows[name][part] = np.round(scores, 5).tolist()
    return rows


def page(cells: dict) -> str:
    """The page in Markdown, from records by data set and rule."""
    text = HEADER.format(patience=PATIENCE, before=BEFORE, now=NOW)
    text += f"| | validate | {' | '.join(RULES)} |\n{'|---' * (len(RULES) + 2)}|\n"
    for data, found in cells.items():
        shown = [
            f"{_mean(found[name]['out of fold'])} "
            f"({_middle(found[name]['epoch'])} of {_middle(found[name]['epochs'])})"
            for name in RULES
        ]
        text += f"| {data} | {found['rows']} | {' | '.join(shown)} |\n"
    text += "\n| test | before | now | difference |\n|---|---|---|---|\n"
    for data, found in cells.items():
        both = [found[name]["test"] for name in (NOW, BEFORE)]
        now, before = map(_mean, both)
        text += f"| {data} | {before} | {now} | {points(paired_interval(*both))} |\n"
    means = [
        [statistics.fmean(found[name]["test"]) for found in cells.values()]
        for name in (NOW, BEFORE)
    ]
    return f"{text}| all data sets | | | {points(paired_interval(*means))} |\n"


def _mean(scores):
    return f"{100 * statistics.fmean(scores):.1f}"


def _middle(epochs):
    return f"{statistics.median(epochs):.0f}"


def main():
    arguments = study.parser(__doc__, RESULTS).parse_args()
    cells = study.read(arguments.results)
    if arguments.page:
        PAGE.write_text(page(cells))
        return
    for name, case in CASES.items():
        if name in cells:
            continue
        table = study.table(name, case.read)
        if table is None:
            continue
        splits = [split(case, table, seed) for seed in range(SPLITS)]
        rows = len(splits[0]["validation"].labels)
        cells[name] = {"rows": rows, **judged(traces(splits))}
        study.keep(arguments.results, cells, name)


if __name__ == "__main__":
    main()
