"""Results as tables that a person reads: on the terminal and in Markdown."""

import statistics

from keras_fusion import zoo
from keras_fusion.common.escaping import markdown
from keras_fusion.experiments.classical import BOOSTING, LINEAR
from keras_fusion.experiments.comparison import CONCATENATION, MODEL
from keras_fusion.experiments.reports.fitted_table import FittedTable
from keras_fusion.experiments.results import Interval, Results


def spread(values: list[float], scale: float = 100, digits: int = 1) -> str:
    """Mean and standard deviation over seeds, `97.1±0.4`, in percent by default."""
    mean = f"{scale * statistics.fmean(values):.{digits}f}"
    if len(values) < 2:
        return mean
    return f"{mean}±{scale * statistics.stdev(values):.{digits}f}"


def comparison_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the comparison: methods down, what is missing across."""
    scores = results.scores
    counts = list(scores[MODEL].missing_random)
    header = ["modalities missing", "none", *counts]
    rows = []
    for method, runs in scores.items():
        random = [spread(runs.missing_random[k]) for k in counts]
        rows.append([method_title(method, results), spread(runs.all), *random])
    return header, rows


def sized_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """The comparison with the size of each method, for where there is the room."""
    header, rows = comparison_rows(results)
    sizes = [size_of(method, results) for method in results.scores]
    return [*header, "parameters"], [[*row, x] for row, x in zip(rows, sizes)]


def size_of(method: str, results: Results) -> str:
    """The number of parameters of a method; nothing where it is made of several."""
    fits = results.fits[0].fits
    return f"{fits[method].parameters:,}" if method in fits else ""


def measure_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the other measures, all modalities there: methods down."""
    header = ["measure", *results.measures[MODEL]]
    rows = [
        [method_title(method, results), *map(thousandths, runs.values())]
        for method, runs in results.measures.items()
    ]
    return header, rows


def missing_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Header and rows: each modality missing, for model, concatenation and anew."""
    scores, retrained = results.scores, results.retrained_without
    methods = [m for m in (MODEL, CONCATENATION) if m in scores]
    header = ["missing", *methods]
    header += ["model trained without it"] if retrained else []
    rows = []
    for name in scores[MODEL].missing:
        row = [name, *(spread(scores[m].missing[name]) for m in methods)]
        rows.append(row + ([spread(retrained[name])] if retrained else []))
    return header, rows


def paired_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Header and rows: what the first method is ahead of each other one, in points.

    Args:
        results: With `paired`, from `comparison.compare` or `comparison.paired`.
    """
    paired = results.paired
    conditions = list(next(iter(paired.values()), {}))
    titles = ["all there" if name == "all" else name for name in conditions]
    rows = [
        [method, *(points(intervals[name]) for name in conditions)]
        for method, intervals in paired.items()
    ]
    return ["points ahead of", *titles], rows


def points(interval: Interval) -> str:
    """A paired difference in points with its interval, `+1.0 (-2.0 to +4.0)`.

    A star marks an interval that excludes zero: elsewhere no difference was found.
    """
    difference = f"{100 * interval.difference:+.1f}"
    if interval.low is None:
        return difference
    star = " *" if interval.excludes_zero else ""
    return f"{difference} ({_bounds(interval)}){star}"


def paired_legend(results: Results) -> str:
    """What the cells of `paired_rows` mean."""
    intervals = [i for x in results.paired.values() for i in x.values()]
    if any(interval.low is None for interval in intervals):
        return "One seed gives no interval, so no difference is claimed."
    return (
        "The brackets hold the 95 % interval over the seeds, on each of which both "
        "methods were judged. A star marks an interval that excludes zero. Where there "
        "is no star, no difference was found."
    )


def classical_won(results: Results) -> str | None:
    """A sentence where nothing had to be fused: trees or a linear model are better."""
    named = {BOOSTING: "Gradient boosting", LINEAR: "A linear model"}
    found = {n: results.paired.get(n, {}).get("all") for n in named}
    ahead = {n: -i.difference for n, i in found.items() if i and i.difference < 0}
    if not ahead:
        return None
    best = max(ahead, key=ahead.get)
    interval, points_ahead = found[best], f"{100 * ahead[best]:.1f}"
    return (
        f"{named[best]} on the same columns is {points_ahead} points better here"
        f"{'' if interval.excludes_zero else ', which may be chance'}."
    )


def origin(results: Results) -> str:
    """Where numbers come from: backend, versions, machine, commit if any, date."""
    versions = ", ".join(f"{k} {v}" for k, v in results.versions.items())
    commit = f"commit {results.commit}, " if results.commit else ""
    return (
        f"Backend {results.backend}, {versions}; {results.machine}; "
        f"{commit}{results.date}"
    )


def rich_table(title: str, header: list[str], rows: list[list[str]]) -> FittedTable:
    """A table for the terminal, numbers to the right."""
    return FittedTable(title, header, rows)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """The same as Markdown."""
    lines = [[markdown(cell) for cell in row] for row in (header, *rows)]
    lines.insert(1, ["---"] + ["---:"] * (len(header) - 1))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def thousandths(values: list[float]) -> str:
    """Mean and standard deviation over seeds, `0.971±0.004`."""
    mean = f"{statistics.fmean(values):.3f}"
    return mean if len(values) < 2 else f"{mean}±{statistics.stdev(values):.3f}"


def verdict(interval: Interval) -> str:
    """A paired difference in points, its interval, and whether it excludes zero."""
    points = f"{100 * interval.difference:+.1f} points"
    if interval.low is None:
        return f"{points} (one seed: no interval)"
    found = "" if interval.excludes_zero else "; no difference found"
    return f"{points}, 95 % interval {_bounds(interval)}{found}"


def _bounds(interval):
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"


def method_title(method: str, results: Results) -> str:
    """The method as a reader knows it: the model by its operator."""
    if method != MODEL:
        return method
    recipe = results.recipe
    default = zoo.builders()[recipe.builder].record.fusion or recipe.builder
    fusion = recipe.arguments.get("fusion", default)
    return fusion["class_name"] if isinstance(fusion, dict) else fusion
