"""The tables of `node_classification.md`, from the results.

python -m benchmarks.node_page
"""

import json
import pathlib

from keras_fusion.files import whole
from keras_fusion.tables import markdown_table, spread

FOLDER = pathlib.Path(__file__).parent
PAGE = FOLDER / "node_classification.md"
BEGIN, END = "<!-- results: written by benchmarks.node_page -->", "<!-- end -->"


def tables(results) -> str:
    """A table for each part of the study, data sets across, and where it was run."""
    keys = [key.split("/") for key in results["scores"]]
    found = []
    for part in dict.fromkeys(part for _, part, _ in keys):
        data = list(dict.fromkeys(d for d, p, _ in keys if p == part))
        names = dict.fromkeys(name for _, p, name in keys if p == part)
        beside = "published" if part == "words alone" else "against concatenation"
        header = [part, *(f"{d}{c}" for d in data for c in ("", f", {beside}"))]
        rows = [[n, *_cells(results, data, part, n, beside)] for n in names]
        found.append(markdown_table(header, rows))
    versions = ", ".join(f"{k} {v}" for k, v in results["versions"].items())
    found.append(
        f"Backend {results['backend']}, {versions}; {results['machine']}; commit "
        f"{results['commit']}, {results['date']}."
    )
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
    results = json.loads((FOLDER / "results/node_classification.json").read_text())
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    with whole(PAGE) as beside:
        beside.write_text(f"{before}{BEGIN}\n\n{tables(results)}\n\n{END}{after}")


if __name__ == "__main__":
    main()
