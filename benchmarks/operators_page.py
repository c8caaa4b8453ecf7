"""The times of all operators as one table, from `results/operators.json`.

python -m benchmarks.operators_page
"""

from benchmarks.operators import BASELINES
from benchmarks.report import BACKENDS, ROOT
from keras_fusion.common.files import read_json, whole

RESULTS = ROOT / "benchmarks" / "results" / "operators.json"
PAGE = ROOT / "benchmarks" / "operators.md"
KINDS = "forward", "step"
HEADER = """# What every operator costs

Written by `python -m benchmarks.operators_page` from
[results/operators.json](results/operators.json), which
`python -m benchmarks.operators --threads {threads}` wrote on {cpu}.

M modalities of vectors (B, D), or of T tokens (B, T, D) each, in float32. A cell has
the milliseconds of the forward pass, and of the forward and the backward pass.
Operators have their default arguments. torch runs eagerly; TensorFlow and JAX compile.
The rows in italics are what a person would write otherwise: a linear map of all vectors
side by side, and multi-head attention over all modalities or tokens. None of them does
the same job as an operator. A block has a feed-forward network beside its attention,
and an operator on tokens hands back a refined stream for each modality.

"""


def page(results: dict) -> str:
    """The table: a row for each operator and size, a column for each backend."""
    times = {}
    for row in results["rows"]:
        kind, name, size = row["case"].split(" ", 2)
        for case, milliseconds in row["ms"].items():
            key = case if case in BASELINES else name
            times[size, key, row["backend"], kind] = milliseconds
    sizes = list(dict.fromkeys(size for size, *_ in times))
    head = HEADER.format(threads=results["threads"], cpu=results["cpu"])
    return head + "\n\n".join(_table(size, times) for size in sizes) + "\n"


def _table(size, times):
    names = sorted({name for own, name, *_ in times if own == size}, key=_order)
    lines = [f"## {size}", "", f"| | {' | '.join(BACKENDS)} |", "|---|---:|---:|---:|"]
    for name in names:
        cells = [[times.get((size, name, b, k)) for k in KINDS] for b in BACKENDS]
        shown = [" / ".join("–" if x is None else f"{x:.1f}" for x in c) for c in cells]
        title = f"*{name}*" if name in BASELINES else f"`{name}`"
        lines.append(f"| {title} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _order(name):
    return name not in BASELINES, name


if __name__ == "__main__":
    with whole(PAGE) as beside:
        beside.write_text(page(read_json(RESULTS)))
