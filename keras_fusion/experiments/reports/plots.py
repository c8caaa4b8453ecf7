"""Results as pictures."""

import itertools
import statistics
import warnings
from pathlib import Path

from keras_fusion.common.files import whole
from keras_fusion.experiments.comparison import METHODS, MODEL
from keras_fusion.experiments.corruption import NOISE
from keras_fusion.experiments.reports import corruption_tables
from keras_fusion.experiments.reports.colors import COLORS, PALETTE
from keras_fusion.experiments.reports.confidence import draw_reliability, draw_risk
from keras_fusion.experiments.reports.tables import method_title
from keras_fusion.experiments.results import Results

CAPTIONS = {
    "accuracy.png": "All modalities, and each one missing",
    "missing.png": "Score against the number of modalities missing",
    "weights.png": "The share of each modality in the fusion's weights, by class",
    "contributions.png": "What each modality contributed to the score",
    "reliability.png": "How often the model is right where it is so sure",
    "risk.png": "Errors among the rows that the model is surest of",
    "corruption.png": "One modality corrupted, the mean over which",
}
PLOTS = tuple(CAPTIONS)
MARKERS = dict(zip(METHODS, "os^Dvp"))


def save_plots(results: Results, folder: Path) -> list[Path]:
    """Draws `PLOTS` into `folder`, those that the results have; their paths.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(
            'Plots need matplotlib: pip install "keras-fusion[plots]".'
        ) from error
    matplotlib.use("Agg")
    matplotlib.rcParams["text.parse_math"] = False  # a name with $ is a name
    plots = {"accuracy.png": (_draw_accuracy, 4), "missing.png": (_draw_missing, 4)}
    if results.modality_weights:
        plots["weights.png"] = _draw_weights, 1 + 0.25 * len(results.modality_weights)
    if results.contributions:
        height = 1.2 + 0.3 * len(results.contributions.score)
        plots["contributions.png"] = _draw_contributions, height
    if results.confidence:
        plots |= {"reliability.png": (draw_reliability, 5), "risk.png": (draw_risk, 4)}
    if results.corrupted:
        plots["corruption.png"] = _draw_corruption, 4
    for name, (draw, height) in plots.items():
        _save(draw, results, folder / name, height)
    return [folder / name for name in plots]


def _save(draw, results, path, height):
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, height), layout="constrained")
    try:
        draw(axes, results)
        axes.spines[["top", "right"]].set_visible(False)
        with whole(path) as beside, warnings.catch_warnings():
            # A name may have letters that the font has not: they are boxes.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure.savefig(beside, dpi=150)
    finally:
        pyplot.close(figure)


def _draw_accuracy(axes, results):
    """All there, and each one missing: a point per seed, a line for the mean.

    No bars: they would have to begin at 0, where differences of a point are not seen.
    """
    scores = results.scores
    conditions = ["all there", *(f"no {m}" for m in scores[MODEL].missing)]
    methods = [method for method in METHODS if method in scores]
    width = 0.8 / len(methods)
    for i, method in enumerate(methods):
        runs = [scores[method].all, *scores[method].missing.values()]
        places = [x + (i - (len(methods) - 1) / 2) * width for x in range(len(runs))]
        means = [100 * statistics.fmean(run) for run in runs]
        axes.hlines(
            means,
            [place - 0.4 * width for place in places],
            [place + 0.4 * width for place in places],
            color=COLORS[method],
            linewidth=3,
            label=method_title(method, results),
        )
        for place, run in zip(places, runs):
            axes.plot([place] * len(run), [100 * v for v in run], "k.", markersize=2)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_ylabel(_label(results))
    axes.grid(axis="y", alpha=0.3)
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
    axes.set_title("All modalities, and each one missing", loc="left")


def _draw_missing(axes, results):
    """Score against the number of modalities missing, with the spread over seeds."""
    for method in filter(results.scores.get, METHODS):
        runs = results.scores[method]
        curve = [runs.all, *runs.missing_random.values()]
        means = [100 * statistics.fmean(run) for run in curve]
        style = {"color": COLORS[method], "label": method_title(method, results)}
        marker = {"marker": MARKERS[method], "markersize": 5}
        axes.plot(range(len(curve)), means, **style, **marker)
        if len(curve[0]) > 1:
            errors = [100 * statistics.stdev(run) for run in curve]
            low = [m - e for m, e in zip(means, errors)]
            high = [m + e for m, e in zip(means, errors)]
            axes.fill_between(
                range(len(curve)), low, high, color=COLORS[method], alpha=0.15
            )
    axes.set_xticks(range(1 + len(results.scores[MODEL].missing_random)))
    axes.set_xlabel("modalities missing at random")
    axes.set_ylabel(_label(results))
    axes.legend(loc="lower left")
    count = len(results.fits)
    seeds = (
        "one seed" if count == 1 else f"mean and standard deviation of {count} seeds"
    )
    data = f"{results.recipe.dataset} {results.part} set"
    axes.set_title(f"{data}, {seeds}", loc="left")


def _draw_corruption(axes, results):
    """Noise of growing strength as curves, beside all else that a modality may be."""
    for method in filter(results.scores.get, METHODS):
        found = corruption_tables.means(results, method)
        percent = {way: 100 * statistics.fmean(runs) for way, runs in found.items()}
        style = {"color": COLORS[method], "marker": MARKERS[method], "markersize": 5}
        noisy = [way for way in percent if way == "none" or way.startswith(NOISE)]
        rest = [way for way in percent if way not in noisy]
        title = method_title(method, results)
        axes.plot(noisy, [percent[w] for w in noisy], label=title, **style)
        axes.plot(rest, [percent[w] for w in rest], linestyle="none", **style)
    axes.set_xlabel("what one modality is")
    axes.set_ylabel(_label(results))
    axes.legend(loc="lower left")
    axes.set_title(CAPTIONS["corruption.png"], loc="left")


def _draw_weights(axes, results):
    """The share of each modality in the fusion by class, the mean over seeds."""
    classes = list(results.modality_weights)
    left = [0.0] * len(classes)
    modalities = results.modality_weights[classes[0]]
    for modality, color in zip(modalities, itertools.cycle(PALETTE)):
        runs = [results.modality_weights[c][modality] for c in classes]
        shares = [100 * statistics.fmean(run) for run in runs]
        axes.barh(classes, shares, left=left, color=color, label=modality)
        left = [a + b for a, b in zip(left, shares)]
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the fusion's weights (%)")
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)


def _draw_contributions(axes, results):
    """The Shapley value of each modality in the score: bars, and a point per seed."""
    found = results.contributions.score
    means = [100 * statistics.fmean(runs) for runs in found.values()]
    axes.barh(list(found), means, color=PALETTE[0])
    for place, runs in enumerate(found.values()):
        axes.plot([100 * v for v in runs], [place] * len(runs), "k.", markersize=4)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel(f"contribution to the {_label(results)}")
    axes.set_title("What each modality contributed to the score", loc="left")


def _label(results):
    return f"{results.metric.replace('R^2', 'R²')} (%)"
