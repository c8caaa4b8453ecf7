"""What each modality contributed, as a table."""

from keras_fusion.experiments.reports.tables import spread, thousandths
from keras_fusion.experiments.results import Results


def contribution_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Header and rows: the Shapley value of each modality in the score, in points.

    The first row is the score with nothing there, the last one the sum of all rows.
    How far a modality moves what is predicted comes behind, where that is measured.
    """
    found = results.contributions
    moved = found.output
    header = ["modality", "points of the score"]
    header += ["moves the prediction by"] if moved else []
    rows = [["(nothing there)", spread(found.base)]]
    rows += [[name, spread(values)] for name, values in found.score.items()]
    whole = [sum(runs) for runs in zip(found.base, *found.score.values())]
    rows.append(["(all)", spread(whole)])
    if moved:
        cells = ["", *map(thousandths, moved.values()), ""]
        rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    return header, rows


def contribution_legend(results: Results) -> str:
    """What the cells of `contribution_rows` mean."""
    rows = max(results.contributions.rows)
    return (
        f"Shapley values on {rows:,} rows of the {results.part} set: what a "
        "modality adds, averaged over all orders in which they may come."
    )
