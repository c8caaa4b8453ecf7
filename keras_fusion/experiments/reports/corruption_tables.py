"""How good methods stay when inputs lie, as tables."""

import statistics

from keras_fusion.experiments.comparison import MODEL
from keras_fusion.experiments.corruption import WAYS
from keras_fusion.experiments.reports.tables import method_title, spread
from keras_fusion.experiments.results import Results

MISSING = "missing"


def all_of(results: Results) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Header and rows of each table by its title; `results` have `corrupted`."""
    title = method_title(MODEL, results)
    found = {
        "one modality corrupted, the mean over which": one_rows(results),
        f"{title}, each modality corrupted": each_rows(results),
    }
    if results.scores[MODEL].missing_random:
        several = f"{title}, by number of modalities corrupted at random"
        found[several] = several_rows(results)
    return found


def means(results: Results, method: str) -> dict[str, list[float]]:
    """Scores by seed with one modality corrupted, by way, the mean over modalities.

    First comes `"none"` with all as it was, last `"missing"`, where the mask says it.
    """
    scores, each = results.scores[method], results.corrupted[method].each
    found = {"none": scores.all}
    for way in WAYS:
        runs = [by_way[way] for by_way in each.values() if way in by_way]
        if runs:
            found[way] = _over(runs)
    return found | {MISSING: _over(scores.missing.values())}


def one_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Methods down, ways across."""
    found = {method: means(results, method) for method in results.corrupted}
    header = ["one modality is", *found[MODEL]]
    return header, [
        [method_title(method, results), *map(spread, runs.values())]
        for method, runs in found.items()
    ]


def each_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Modalities of the model down, ways across."""
    each = results.corrupted[MODEL].each
    missing = results.scores[MODEL].missing
    ways = [way for way in WAYS if any(way in found for found in each.values())]
    rows = [
        [name, *(spread(found[w]) if w in found else "" for w in ways)]
        for name, found in each.items()
    ]
    rows = [[*row, spread(missing[row[0]])] for row in rows]
    return ["modality", *ways, MISSING], rows


def several_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Ways of the model down, the number of modalities across."""
    runs = results.corrupted[MODEL].random
    runs = runs | {MISSING: results.scores[MODEL].missing_random}
    rows = [[way, *map(spread, found.values())] for way, found in runs.items()]
    return ["modalities", *runs[MISSING]], rows


def _over(runs):
    """The mean over modalities, seed by seed."""
    return [statistics.fmean(scores) for scores in zip(*runs)]
