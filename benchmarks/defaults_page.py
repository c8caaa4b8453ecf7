"""The page of the study of defaults, written from its results."""

import statistics

from keras_fusion.experiments.evaluation import paired_interval
from keras_fusion.experiments.results import Interval

HEADER = """# Which defaults are right for most data

Written by `python -m benchmarks.defaults --page` from
[results/defaults.json](results/defaults.json). A model of the library with early
stopping on validation, on eight splits of every data set; at most 600 rows train.
Every line moves what it names away from the base:

{base}

*Rank* and *score* are means over the {count} data sets of the accuracy on validation
rows, by which defaults are chosen, among the lines that have all of them; a score is 1
for the best of a data set and 0 for the worst. *Test* is the mean difference from the
base on test rows in points of accuracy, with the 95 % interval over data sets, *one
missing* the same where one modality is missing in use. Lines with fewer data sets were
stopped before they had all; their differences are over what is there.

Nothing can be chosen on *mosi*: its features come from networks that have seen the
labels of all rows but those that test, so that every line has 99 % on validation
rows and 73 to 76 % on test rows.

"""


def page(cells: dict, base: dict) -> str:
    """The page in Markdown.

    Args:
        cells: Records by data set and configuration.
        base: Its arguments.
    """
    names = list(dict.fromkeys(name for found in cells.values() for name in found))
    whole = [n for n in names if all(n in found for found in cells.values())]
    standing = standings(cells, whole)
    lines = [_row(name, cells, standing) for name in names]
    lines.sort(key=lambda line: -line[0])
    table = "| | data sets | rank | score | test | one missing |\n"
    table += "|---|---|---|---|---|---|\n" + "".join(line for _, line in lines)
    listed = ", ".join(f"`{k} = {v}`" for k, v in base.items())
    by_data = _by_data(cells, [n for n in names if n in whole])
    head = HEADER.format(base=listed, count=len(cells))
    return f"{head}{table}\n## Accuracy on test rows, in percent\n\n{by_data}"


def summary(cells: dict, ours: str) -> str:
    """A short table for the README: test accuracy beside what one would use otherwise.

    Args:
        cells: Records by data set and configuration.
        ours: The configuration that is the default.
    """
    others = {
        "best single modality, linear": "best single",
        "linear model": "linear model",
        "gradient boosting": "boosting",
        "base": "concatenation",
        ours: "default",
    }
    gains = ["gain", "gain, one missing"]
    table = f"| data | {' | '.join([*others.values(), *gains])} |\n"
    table += "|---" * (len(others) + 3) + "|\n"
    for data, found in cells.items():
        there = {n: found[n] for n in others if n in found}
        if ours not in there or len(there) < 2:
            continue
        means = {n: 100 * statistics.fmean(x["test"]) for n, x in there.items()}
        shown = [f"{means[n]:.1f}" if n in means else "" for n in others]
        shown += [_gain(there, ours, key) for key in ("test", "missing")]
        table += f"| {data} | {' | '.join(shown)} |\n"
    return table


def _gain(there, ours, key):
    """Points of ours ahead of the best of the others, and half of their interval."""
    scores = {n: [100 * x for x in found[key]] for n, found in there.items()}
    means = {n: statistics.fmean(x) for n, x in scores.items()}
    strongest = max((n for n in scores if n != ours), key=means.get)
    found = paired_interval(scores[ours], scores[strongest])
    return f"{found.difference:+.1f} ± {found.high - found.difference:.1f}"


def standings(cells: dict, names: list[str]) -> dict[str, tuple[float, float]]:
    """Mean rank (1 is best, ties share theirs) and mean normalized score, by name."""
    ranks, scores = {n: [] for n in names}, {n: [] for n in names}
    for found in cells.values():
        means = {n: statistics.fmean(found[n]["validation"]) for n in names}
        low, high = min(means.values()), max(means.values())
        for n, mean in means.items():
            above = sum(x > mean for x in means.values())
            ranks[n].append(
                1 + above + (sum(x == mean for x in means.values()) - 1) / 2
            )
            scores[n].append((mean - low) / (high - low) if high > low else 1.0)
    return {n: (statistics.fmean(ranks[n]), statistics.fmean(scores[n])) for n in names}


def differences(cells: dict, name: str, key: str) -> Interval:
    """`paired_interval` over data sets of a configuration and the base, in points."""
    pairs = [
        [100 * statistics.fmean(found[n][key]) for n in (name, "base")]
        for found in cells.values()
        if name in found and "base" in found
    ]
    return paired_interval(*zip(*pairs))


def _row(name, cells, standing):
    count = sum(name in found for found in cells.values())
    rank, score = standing.get(name, (None, None))
    ranked = f"{rank:.1f} | {score:.2f}" if rank else "| "
    shown, order = [], 0.0
    for key in ("test", "missing"):
        if name == "base":
            shown.append("")
            continue
        found = differences(cells, name, key)
        order = found.difference if key == "test" else order
        bounds = "" if found.low is None else _bounds(found)
        shown.append(f"{found.difference:+.1f}{bounds}")
    return order, f"| {name} | {count} | {ranked} | {' | '.join(shown)} |\n"


def _bounds(found):
    return f" ({found.low:+.1f} to {found.high:+.1f})"


def _by_data(cells, names):
    table = f"| | {' | '.join(cells)} |\n|---{'|---' * len(cells)}|\n"
    for name in names:
        means = [
            f"{100 * statistics.fmean(x[name]['test']):.1f}" for x in cells.values()
        ]
        table += f"| {name} | {' | '.join(means)} |\n"
    return table
