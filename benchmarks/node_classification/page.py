"""The tables of `README.md`, from the results.

    python -m benchmarks.node_classification.page [FILE ...]

With files, those of processes that shared the work, they become the results first.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import types

from keras_fusion.common.files import whole, write_json
from keras_fusion.experiments.evaluation import paired_interval
from keras_fusion.experiments.reports.card import replaced
from keras_fusion.experiments.reports.tables import markdown_table, origin, spread

FOLDER = pathlib.Path(__file__).parent
PAGE = FOLDER / "README.md"
RESULTS = FOLDER / "results.json"
BEGIN = "<!-- results: written by benchmarks.node_classification.page -->"
PARTS = ("words alone", "three modalities", "30 % missing")
BASELINE = "concatenation"
PUBLISHED = {
    "gcn": {"cora": 81.5, "citeseer": 70.3},
    "gat": {"cora": 83.0, "citeseer": 72.5},
}


def merged(reports: list[dict]) -> dict:
    """One report of several that share the keys; a ValueError where they cannot be.

    Commits and dates may differ, and are all kept.
    """
    first, *others = reports
    for other in others:
        for what in ("backend", "versions", "machine", "settings"):
            if other[what] != first[what]:
                raise ValueError(
                    f"Results of one study must agree in {what!r}; received "
                    f"{first[what]} and {other[what]}."
                )
    scores = {}
    for report in reports:
        for key, values in report["scores"].items():
            if len(values) > len(scores.get(key, [])):
                scores[key] = values
    together = {
        what: ", ".join(sorted({str(report[what]) for report in reports}))
        for what in ("commit", "date")
    }
    return first | {"summary": summary(scores), "scores": scores} | together


def summary(scores) -> dict:
    """Test accuracies: mean, deviation, and difference to concatenation by seed."""
    lines = {}
    for key, values in scores.items():
        data, part, name = key.split("/")
        tests = [value["test"] for value in values]
        line = {"mean": statistics.fmean(tests), "seeds": len(tests)}
        line["validation"] = statistics.fmean(v["validation"] for v in values)
        if len(tests) > 1:
            line["deviation"] = statistics.stdev(tests)
        if part == PARTS[0]:
            line["published"] = PUBLISHED[name][data]
        baseline = [v["test"] for v in scores.get(f"{data}/{part}/{BASELINE}", [])]
        if name != BASELINE and len(baseline) == len(tests):
            interval = paired_interval(tests, baseline)
            line["against concatenation"] = dataclasses.asdict(interval)
        lines[key] = line
    return lines


def tables(results) -> str:
    """A table for each part of the study, data sets across, and where it was run."""
    keys = [key.split("/") for key in results["scores"]]
    found = []
    for part in (part for part in PARTS if any(p == part for _, p, _ in keys)):
        data = list(dict.fromkeys(d for d, p, _ in keys if p == part))
        names = dict.fromkeys(name for _, p, name in keys if p == part)
        beside = "published" if part == "words alone" else "against concatenation"
        header = [part, *(f"{d}{c}" for d in data for c in ("", f", {beside}"))]
        rows = [[n, *_cells(results, data, part, n, beside)] for n in names]
        found.append(markdown_table(header, rows))
    found.append(f"{origin(types.SimpleNamespace(**results))}.")
    return "\n\n".join(found)


def _cells(results, data, part, name, beside):
    for d in data:
        key = f"{d}/{part}/{name}"
        values = [value["test"] for value in results["scores"].get(key, [])]
        yield f"{spread(values, 1)} ({len(values)})" if values else ""
        other = results["summary"].get(key, {}).get(beside, "")
        if isinstance(other, dict):  # an interval; without bounds from one seed
            bounds = other["low"] is not None and "{low:+.1f} to {high:+.1f}"
            other = f"{other['difference']:+.1f}" + (
                f" ({bounds.format(**other)})" if bounds else ""
            )
        yield str(other)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    files = parser.parse_args().files
    if files:
        write_json(RESULTS, merged([json.loads(file.read_text()) for file in files]))
    results = json.loads(RESULTS.read_text())
    page = replaced(PAGE.read_text(), BEGIN, tables(results))
    with whole(PAGE) as beside:
        beside.write_text(page)


if __name__ == "__main__":
    main()
