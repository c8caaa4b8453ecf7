"""Whether the default is behind a linear model, or boosting, on small data.

    python -m benchmarks.linear

Five splits of every data set, for numbers and for classes. The default is what
`keras-fusion train FILE` trains, beside its network alone, and for numbers beside the
mean of that network's predictions. Nothing is chosen by test rows. Data that are not
there (`KERAS_FUSION_DATA`) are left out.
"""

import os
import statistics

os.environ["KERAS_BACKEND"] = "jax"  # all splits of a cell train in one compiled step

# ruff: noqa: E402
import numpy as np

from benchmarks import defaults_baselines, defaults_data, study
from benchmarks.defaults_data import Part
from benchmarks.linear_data import CLASSES, NUMBERS
from benchmarks.report import ROOT
from keras_fusion.experiments.evaluation import paired_interval
from keras_fusion.experiments.reports.tables import points

RESULTS = ROOT / "benchmarks" / "results" / "linear.json"
PAGE = ROOT / "benchmarks" / "linear.md"
SPLITS = 5
BASELINES = {"numbers": ("ridge", "gradient boosting")}
BASELINES["classes"] = ("linear model", "gradient boosting")
DEFAULT, BEFORE, NETWORK = "default", "heads averaged", "network"
HEADER = """# Beside linear models, on small data

Written by `python -m benchmarks.linear --page` from
[results/linear.json](results/linear.json). Test scores in percent, means of {splits}
splits; at most 600 rows train. `default` is what `keras-fusion train FILE` makes of
such data, with early stopping on validation rows. The differences have their 95 %
interval over the splits, and a star where that holds no zero.
"""
TEXTS = {
    "numbers": """
## Numbers: R^2

The default is a `network` blended with a ridge regression, by the share that fits the
validation rows best (`zoo.blend_linear`); in brackets the median of this share. The
mean of the same network's predictions, the fusion's and each modality's, `heads
averaged`, falls short where their parts add up. The second table is with one modality
missing in use.

Where the number is no sum over the modalities, as in `friedman 3`, whose four features
divide and multiply each other across both, boosting is far ahead: the default operator
adds what the modalities say.
""",
    "classes": """
## Classes: accuracy

The default is a `network` blended with a logistic regression; in brackets the median of
the network's share. In `linear` 135 rows train for two classes and 24 features.
""",
}


def baseline(splits: list[dict[str, Part]], name: str) -> dict:
    """Its records."""
    if name in defaults_baselines.BASELINES and splits[0]["test"].labels.dtype != float:
        found = defaults_baselines.fit(splits, name)
        return {key: found[key] for key in ("test", "missing")}
    found = {"test": [], "missing": []}
    for parts in splits:
        x, y = _filled(parts["train"]), parts["train"].labels
        model = _regression(name).fit(x, y)
        test = parts["test"]
        gaps = [defaults_baselines.without(test, m) for m in test.inputs]
        scores = [r_squared(p.labels, model.predict(_filled(p))) for p in (test, *gaps)]
        found["test"].append(scores[0])
        found["missing"].append(statistics.fmean(scores[1:]))
    return found


def _regression(name):
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV

    ridge = name == "ridge"
    return RidgeCV(np.logspace(-3, 4, 15)) if ridge else HistGradientBoostingRegressor()


def _filled(part):
    return np.nan_to_num(defaults_baselines.joined(part, None))


def r_squared(labels, found) -> float:
    """The share of the labels' variance that is explained."""
    return float(
        1 - np.square(labels - found).sum() / np.square(labels - labels.mean()).sum()
    )


def page(cells: dict) -> str:
    """The page in Markdown, from records by kind, data set and method."""
    text = HEADER.format(splits=SPLITS)
    for kind, found in cells.items():
        text += TEXTS[kind] + _table(kind, found, "test")
        if kind == "numbers":
            text += _table(kind, found, "missing")
    return text


def _table(kind, found, key):
    names = list(next(iter(found.values())))
    baselines = BASELINES[kind]
    heads = [*names, *(f"default - {name}" for name in baselines)]
    text = f"\n| | {' | '.join(heads)} |\n{'|---' * (len(heads) + 1)}|\n"
    for data, by in found.items():
        means = [f"{100 * statistics.fmean(by[name][key]):.1f}" for name in names]
        if "share" in by[DEFAULT]:
            means[-1] += f" ({statistics.median(by[DEFAULT]['share']):.2f})"
        ahead = [
            points(paired_interval(by[DEFAULT][key], by[name][key]))
            for name in baselines
        ]
        text += f"| {data} | {' | '.join([*means, *ahead])} |\n"
    return text


def main():
    arguments = study.parser(__doc__, RESULTS).parse_args()
    cells = study.read(arguments.results)
    if arguments.page:
        PAGE.write_text(page(cells))
        return
    from benchmarks.linear_training import of_classes, of_numbers

    for kind, cases in (("numbers", NUMBERS), ("classes", CLASSES)):
        for data, case in cases.items():
            if data in cells.setdefault(kind, {}):
                continue
            table = study.table(data, case.read)
            if table is None:
                continue
            splits = [defaults_data.split(case, table, s) for s in range(SPLITS)]
            if kind == "numbers":
                splits = [_standardized(parts) for parts in splits]
            found = {name: baseline(splits, name) for name in BASELINES[kind]}
            found |= of_numbers(splits) if kind == "numbers" else of_classes(splits)
            cells[kind][data] = found
            study.keep(arguments.results, cells, f"{kind}, {data}")


def _standardized(parts):
    """Labels at mean 0 and deviation 1, features on the library's own scale."""
    from benchmarks.defaults_scaling import scaled

    mean, std = parts["train"].labels.mean(), parts["train"].labels.std()
    parts = {n: Part(x.inputs, (x.labels - mean) / std) for n, x in parts.items()}
    return scaled(parts, "auto")


if __name__ == "__main__":
    main()
