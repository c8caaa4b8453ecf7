"""Which arguments of FusionClassifier and of a recipe are right for most data.

    python -m benchmarks.defaults

One factor at a time is moved away from a base, on eight splits of every data set, with
early stopping on each split's validation rows. What is there in the results is not
trained again, so a study that was stopped goes on. Of scikit-learn and of the data that
are not shipped (`KERAS_FUSION_DATA`) it takes what there is.
"""

import json
import os
import time

os.environ["KERAS_BACKEND"] = "jax"  # all splits of a cell train in one compiled step

# ruff: noqa: E402
from benchmarks import defaults_baselines, defaults_data, study
from benchmarks.defaults_baselines import BASELINES
from benchmarks.defaults_page import page, summary
from benchmarks.report import ROOT
from keras_fusion.experiments.reports.card import replaced

RESULTS = ROOT / "benchmarks" / "results" / "defaults.json"
PAGE = ROOT / "benchmarks" / "defaults.md"
BEGIN = "<!-- results: written by python -m benchmarks.defaults --page -->"
COMMAND = "keras-fusion train"  # what it makes of a table without a recipe
NETWORK = f"{COMMAND}, without the linear model"
USUAL = {
    "fusion": "ScalarWeighting",
    "scale": "auto",
    "heads": "average",
    "modality_dropout": 0.3,
}
SPLITS = 8
BASE = {
    "fusion": "Concatenation",
    "encoder_depth": 1,
    "depth": 1,
    "units": 64,
    "dropout": 0.5,
    "modality_dropout": 0.0,
    "scale": "modality",
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
}
FACTORS = {  # in the order in which they are tried
    "learning_rate": (3e-3,),
    "weight_decay": (1e-4, 1e-1),
    "scale": ("auto", "feature", "quantile", "none"),
    "dropout": (0.0, 0.25, 0.7),
    "units": (128, 32, 256),
    "encoder_depth": (0, 2),
    "heads": ("average", "train"),
    "modality_dropout": (0.5, 0.2),
    "fusion": (
        "ModalityAttention",
        "ScalarWeighting",
        "GatedMultimodalUnit",
        "SoftmaxGating",
        "AdaptiveWeighting",
        "Summation",
        "Maximum",
        "Product",
        "ModalityTransformer",
        "MixtureOfExpertsFusion",
        "LowRankFusion",
        "ProductOfExperts",
    ),
    "depth": (2,),
}
CANDIDATES = {  # several factors moved together
    "ScalarWeighting, scale=auto": {"fusion": "ScalarWeighting", "scale": "auto"},
    NETWORK: USUAL,
    COMMAND: USUAL | {"linear_path": True},
    "before this study": {
        "fusion": "ModalityAttention",
        "scale": "feature",
        "dropout": 0.0,
        "weight_decay": 1e-4,
    },
}


def configurations() -> dict[str, dict]:
    """Arguments by the name of a configuration."""
    found = {"base": BASE}
    for factor, values in FACTORS.items():
        found |= {f"{factor}={v}": BASE | {factor: v} for v in values}
    return found | {name: BASE | moved for name, moved in CANDIDATES.items()}


def names() -> list[str]:
    """Everything that is tried: the configurations, and what they have to beat."""
    return [*configurations(), *BASELINES]


def main():
    parser = study.parser(__doc__, RESULTS)
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--data", nargs="+", choices=defaults_data.CASES)
    parser.add_argument("--only", nargs="+", choices=names())
    arguments = parser.parse_args()
    if arguments.page:
        found = study.read(arguments.results)
        PAGE.write_text(page(found, BASE))
        readme = ROOT / "README.md"
        readme.write_text(replaced(readme.read_text(), BEGIN, summary(found, COMMAND)))
        return
    end = time.monotonic() + 60 * (arguments.minutes or 1e9)
    wanted = arguments.data or list(defaults_data.CASES)
    chosen = arguments.only or names()
    found = study.read(arguments.results)
    splits = {}
    for data, group in cells(wanted, chosen):
        for name in group:
            if name in found.get(data, {}) or time.monotonic() > end:
                continue
            splits[data] = splits.get(data) or drawn(data)
            found.setdefault(data, {})[name] = _fitted(splits[data], name)
            study.keep(arguments.results, found, f"{data}: {name}")


def drawn(name: str) -> list:
    """The splits of this data set."""
    case = defaults_data.CASES[name]
    table = case.read()
    return [defaults_data.split(case, table, seed) for seed in range(SPLITS)]


def cells(data, chosen):
    """`(data set, configurations)`, together what needs one compilation."""
    training = ("learning_rate", "weight_decay", "scale")

    def graph(name):
        arguments = configurations().get(name, {"baseline": name})
        return json.dumps({k: v for k, v in arguments.items() if k not in training})

    ordered = {}
    for name in chosen:
        ordered.setdefault(graph(name), []).append(name)
    return [(d, group) for group in ordered.values() for d in data]


def _fitted(splits, name):
    started = time.process_time()
    if name in BASELINES:
        found = defaults_baselines.fit(splits, name)
    else:
        from benchmarks.defaults_training import fit

        found = fit(splits, configurations()[name])
    return found | {"seconds": round(time.process_time() - started, 1)}


if __name__ == "__main__":
    main()
