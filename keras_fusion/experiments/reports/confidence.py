"""What a classifier's confidence is worth, in a sentence and in pictures."""

import statistics

import numpy as np

from keras_fusion.experiments.confidence import COVERAGES
from keras_fusion.experiments.reports.colors import PALETTE
from keras_fusion.experiments.reports.tables import spread
from keras_fusion.experiments.results import Results


def sets_sentence(results: Results) -> str | None:
    """How often the sets of classes hold the true one; None where there are none."""
    found = results.confidence and results.confidence.sets
    if not found:
        return None
    asked = results.recipe.training.coverage
    sentence = (
        f"Sets of classes: {_held(found)} ({100 * asked:g} % were asked for), with "
        f"{_size(found)} classes on average."
    )
    if adaptive := results.confidence.adaptive_sets:
        sentence += (
            f" Adaptive sets, which grow where a row is hard: {_held(adaptive)}, with "
            f"{_size(adaptive)}."
        )
    return sentence


def _held(sets):
    return f"{spread(sets.coverage)} % hold the true class"


def _size(sets):
    return spread(sets.size, scale=1, digits=2)


def draw_reliability(axes, results):
    """Confidence against accuracy, the rows of all seeds together by bins.

    A dot is as large as its share of rows; a calibrated model is on the line.
    """
    runs = results.confidence.reliability
    rows, confidence, right = (
        np.sum(x, axis=0) for x in (runs.rows, runs.confidence, runs.right)
    )
    there = rows > 0
    x, y = confidence[there] / rows[there], right[there] / rows[there]
    axes.plot([0, 1], [0, 1], color="gray", linewidth=0.8)
    axes.plot(x, y, color=PALETTE[0], linewidth=1)
    axes.scatter(
        x, y, s=10 + 400 * rows[there] / rows.sum(), color=PALETTE[0], alpha=0.6
    )
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("probability of the class that is named")
    axes.set_ylabel("share of rows where it is right")
    axes.set_title("How often the model is right where it is so sure", loc="left")


def draw_risk(axes, results):
    """The share of errors among the surest rows, the mean over seeds."""
    runs = results.confidence.risk
    errors = [100 * statistics.fmean(values) for values in zip(*runs)]
    axes.plot(
        [100 * c for c in COVERAGES], errors, "o-", color=PALETTE[0], markersize=4
    )
    axes.set_xlim(0, 102)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("share of rows answered, the surest first (%)")
    axes.set_ylabel("errors among them (%)")
    axes.set_title("Errors among the rows that the model is surest of", loc="left")
