"""What helps where a modality lies: training with corruption, heads, gates.

    python -m benchmarks.corruption

Models of the library are trained on five splits of each data set and judged on test
rows of which one modality is corrupted, and no mask says so: noise of two deviations,
another sample's in place, or zeros. Nothing is chosen by these rows. Data that are not
there (`KERAS_FUSION_DATA`) are left out.
"""

import json
import os
import statistics

os.environ["KERAS_BACKEND"] = "jax"  # all splits train in one compiled step

# ruff: noqa: E402
import numpy as np

from benchmarks import defaults_data, study
from benchmarks import defaults_training as steps
from benchmarks.defaults_data import Part
from benchmarks.defaults_scaling import scaled
from benchmarks.report import ROOT
from keras_fusion.datasets import Split
from keras_fusion.experiments.corruption import SEVERAL, corrupted
from keras_fusion.experiments.evaluation import paired_interval
from keras_fusion.experiments.reports.tables import points

RESULTS = ROOT / "benchmarks" / "results" / "corruption.json"
PAGE = ROOT / "benchmarks" / "corruption.md"
DATA = ("mfeat", "spoken digits", "leaves")
SPLITS = 5
BASE = "Concatenation"
CORRUPTION = {"modality_corruption": 0.3}
AVERAGE = {"heads": "average"}
MODELS = {
    BASE: {"fusion": "Concatenation"},
    "Concatenation, corruption": {"fusion": "Concatenation", **CORRUPTION},
    "ScalarWeighting": {"fusion": "ScalarWeighting"},
    "ScalarWeighting, corruption": {"fusion": "ScalarWeighting", **CORRUPTION},
    "ScalarWeighting, heads": {"fusion": "ScalarWeighting", **AVERAGE},
    "ScalarWeighting, heads, corruption": {
        "fusion": "ScalarWeighting",
        **AVERAGE,
        **CORRUPTION,
    },
    "GatedMultimodalUnit, corruption": {"fusion": "GatedMultimodalUnit", **CORRUPTION},
    "SoftmaxGating, corruption": {"fusion": "SoftmaxGating", **CORRUPTION},
}
TRAINING = {"learning_rate": 1e-3, "weight_decay": 1e-4, "scale": "auto"}
HEADER = """# When one input lies

Written by `python -m benchmarks.corruption --page` from
[results/corruption.json](results/corruption.json): test accuracy in percent on {splits}
splits, at most {rows} rows train. In the last four columns one modality of every test
row is corrupted, the mean over which, or missing, which a mask says. Below each line
stands the difference from `{base}`, which never saw corruption, with its
95 % interval over the splits, and a star where that holds no zero;
`corruption` is `modality_corruption = {rate}`.
"""


def judged(splits: list[dict[str, Part]], arguments: dict) -> dict[str, list[float]]:
    """Test accuracy by split: with all in order, by way of corruption, and missing."""
    prepared = [scaled(parts, TRAINING["scale"]) for parts in splits]
    data = {n: steps.stacked([parts[n] for parts in prepared]) for n in splits[0]}
    train = data["train"]
    shapes = [(m, x.shape[2:]) for m, x in train["inputs"].items() if m != steps.MASK]
    classes = int(max(d["labels"].max() for d in data.values())) + 1
    batch = min(steps.BATCH, train["labels"].shape[1])
    arguments = json.dumps({"modality_dropout": 0.0, **arguments}, sort_keys=True)
    compiled = steps.compiled(tuple(shapes), classes, batch, arguments)
    by_loss, _, _, state = steps.trained(*compiled, data, TRAINING)
    judge, weights = compiled[2], by_loss["weights"]

    def accuracy(parts):
        found = judge(weights, state, steps.stacked(parts))[1]
        return np.asarray(found, np.float64)

    tests = [parts["test"] for parts in prepared]
    found = {"in order": accuracy(tests)}
    names = [m for m, _ in shapes]
    for way in SEVERAL:
        each = [accuracy([_lying(part, way, m) for part in tests]) for m in names]
        found[way] = np.mean(each, axis=0)
    each = [accuracy([_without(part, m) for part in tests]) for m in names]
    found["missing"] = np.mean(each, axis=0)
    return {way: np.round(scores, 5).tolist() for way, scores in found.items()}


def _lying(part, way, modality):
    hit = np.tile([m == modality for m in part.inputs], (len(part.labels), 1))
    inputs = corrupted(Split(part.inputs, part.labels), way, hit).inputs
    return Part({m: np.asarray(x) for m, x in inputs.items()}, part.labels)


def _without(part, modality):
    gap = np.full_like(part.inputs[modality], np.nan)
    return Part(part.inputs | {modality: gap}, part.labels)


def page(cells: dict) -> str:
    """The page in Markdown, from records by data set and model."""
    rate, rows = CORRUPTION["modality_corruption"], defaults_data.ROWS
    text = HEADER.format(splits=SPLITS, rows=rows, base=BASE, rate=rate)
    for data, found in cells.items():
        ways = list(found[BASE])
        text += (
            f"\n## {data}\n\n| | {' | '.join(ways)} |\n{'|---' * (len(ways) + 1)}|\n"
        )
        for name, scores in found.items():
            means = [f"{100 * statistics.fmean(scores[way]):.1f}" for way in ways]
            text += f"| {name} | {' | '.join(means)} |\n"
            if name != BASE:
                ahead = [
                    points(paired_interval(scores[way], found[BASE][way]))
                    for way in ways
                ]
                text += f"| | {' | '.join(ahead)} |\n"
    return text


def main():
    arguments = study.parser(__doc__, RESULTS).parse_args()
    cells = study.read(arguments.results)
    if arguments.page:
        PAGE.write_text(page(cells))
        return
    for data in DATA:
        case = defaults_data.CASES[data]
        table = study.table(data, case.read)
        if table is None:
            continue
        splits = [defaults_data.split(case, table, seed) for seed in range(SPLITS)]
        for name, model in MODELS.items():
            if name in cells.setdefault(data, {}):
                continue
            cells[data][name] = judged(splits, model)
            study.keep(arguments.results, cells, f"{data}: {name}")


if __name__ == "__main__":
    main()
