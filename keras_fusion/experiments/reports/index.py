"""What all published recipes came to, one row each."""

import statistics
from pathlib import Path

from keras_fusion.experiments.comparison import CONCATENATION, ONLY
from keras_fusion.experiments.evaluation import paired_interval
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.results import read

BEGIN = "<!-- index: written by python -m benchmarks.zoo_pages -->"


def index_rows(folder: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the recipes in `folder` that have results.

    The best is the method with the highest mean score on the test set, all modalities
    there; its gain is in points of that score.
    """
    header = ["recipe", "data", "score", "best", "gain over concatenation", "size"]
    files = sorted(folder.glob("*/results.json"))
    rows = [_row(file.parent.name, read(file)) for file in files]
    return header, rows


def _row(name, results):
    scores = results.scores
    fused = [method for method in scores if not method.startswith(ONLY)]
    best = max(fused, key=lambda method: statistics.fmean(scores[method].all))
    return [
        name,
        results.recipe.dataset,
        results.metric,
        f"{tables.method_title(best, results)}: {tables.spread(scores[best].all)} %",
        _gain(best, scores),
        tables.size_of(best, results),
    ]


def _gain(best, scores):
    if best == CONCATENATION or CONCATENATION not in scores:
        return "–"
    pair = (scores[method].all for method in (best, CONCATENATION))
    return tables.points(paired_interval(*pair))
