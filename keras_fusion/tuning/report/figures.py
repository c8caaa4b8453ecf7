"""The pictures of a search: heat map, score against latency, learning curves."""

import plotly.graph_objects as go
from plotly import colors

from keras_fusion.common.escaping import html
from keras_fusion.experiments.classical import BOOSTING, LINEAR
from keras_fusion.experiments.comparison import CONCATENATION, LATE, MODEL, SINGLE
from keras_fusion.experiments.reports.colors import COLORS, PALETTE
from keras_fusion.tuning.report.leaderboard import (
    baseline_of,
    baselines,
    fusion_text,
    ranked,
    referred_to,
    values_text,
)
from keras_fusion.tuning.results import Reference, Trial
from keras_fusion.tuning.trials import LOSS

FRONT = PALETTE[-1]
LINES = {  # how each is dashed, and where its name stands, so that no two meet
    CONCATENATION: ("dash", 0.9),
    LATE: ("dot", 0.7),
    SINGLE: ("dashdot", 0.5),
    BOOSTING: ("longdash", 0.3),
    LINEAR: ("longdashdot", 0.1),
}
CURVES = 8


def shown(trial: Trial) -> float:
    """The score as a reader knows it: percent, or the loss itself."""
    return -trial.score if trial.metric == LOSS else 100 * trial.score


def axis_title(trial: Trial) -> str:
    """What `shown` is."""
    return "validation loss" if trial.metric == LOSS else f"{trial.metric} (%)"


def operators_by_depth(trials: list[Trial]) -> go.Figure:
    """The best score of every operator at every depth of encoders and of fusion."""
    best = {}
    for trial in ranked(trials):
        values = trial.values
        depths = [str(values.get(k, "–")) for k in ("encoder_depth", "depth")]
        best.setdefault((values["fusion"], *depths), trial)
    rows = list(dict.fromkeys(name for name, *_ in best))
    columns = sorted({(encoder, depth) for _, encoder, depth in best})
    cells = [[best.get((row, *column)) for column in columns] for row in rows]
    scores = [[shown(t) if t else None for t in row] for row in cells]
    encoders = [f"encoder depth {encoder}" for encoder, _ in columns]
    figure = go.Figure(
        go.Heatmap(
            z=scores,
            x=[encoders, [f"fusion depth {depth}" for _, depth in columns]],
            y=[html(row) for row in rows],  # plotly reads tags in names
            text=[[f"{s:.4g}" if s is not None else "" for s in row] for row in scores],
            customdata=[[f"trial {t.trial}" if t else "" for t in r] for r in cells],
            texttemplate="%{text}",
            hovertemplate="%{y}<br>%{x}<br>%{z:.4g}, %{customdata}<extra></extra>",
            colorscale="Blues",
            reversescale=_losses(trials),
            hoverongaps=False,
            colorbar={"title": axis_title(ranked(trials)[0])},
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    return _finished(figure, 120 + 26 * len(rows))


def score_against_latency(
    trials: list[Trial], references: dict[str, Reference] | None = None
) -> go.Figure:
    """Every trial, the Pareto front, and what fusion has to beat as lines.

    Args:
        trials: From `tuning.summaries`.
        references: From `references.judge`; their latency nobody measured.
    """
    completed = ranked(trials)
    of = completed[0].metric
    referred = {t.trial: t for t in referred_to(references or {}, of)}
    beaten = baselines(trials) | referred
    figure = go.Figure()
    kinds = {baseline_of(t) for t in completed}
    for kind in filter(kinds.__contains__, (None, *LINES)):
        own = [t for t in completed if baseline_of(t) == kind]
        figure.add_scatter(
            x=[t.latency for t in own],
            y=[shown(t) for t in own],
            mode="markers",
            name=kind or "fusion",
            marker={"color": COLORS[kind or MODEL], "size": 9, "opacity": 0.75},
            text=[_described(t) for t in own],
            hovertemplate="%{text}<br>%{y:.4g} at %{x:.3g} ms<extra></extra>",
        )
    front = pareto(completed)
    figure.add_scatter(
        x=[t.latency for t in front],
        y=[shown(t) for t in front],
        mode="lines",
        name="Pareto front",
        line={"color": FRONT, "shape": "hv"},
        hoverinfo="skip",
    )
    for kind, trial in beaten.items():
        dash, x = LINES[kind]
        color, y = COLORS[kind], shown(trial)
        figure.add_hline(y, line={"color": color, "width": 1, "dash": dash})
        figure.add_annotation(
            **{"text": kind, "font": {"color": color}, "showarrow": False},
            **{"x": x, "xref": "x domain", "y": y, "yanchor": "bottom"},
        )
    figure.update_xaxes(title="milliseconds a prediction of 64 rows", type="log")
    figure.update_yaxes(title=axis_title(completed[0]))
    return _finished(figure, 460)


def learning_curves(trials: list[Trial]) -> go.Figure:
    """Validation by epoch, of the best trials, the best darkest, and the baselines."""
    best = ranked(trials)
    chosen = best[:CURVES]
    chosen += [t for t in baselines(trials).values() if t not in chosen]
    sign = 1 if _losses(trials) else 100
    figure = go.Figure()
    shades = colors.sample_colorscale("Cividis", max(2, len(chosen)), high=0.85)
    for trial, shade in zip(chosen, shades):
        kind = baseline_of(trial)
        figure.add_scatter(
            x=trial.curve.epoch,
            y=[sign * value for value in trial.curve.validation],
            mode="lines",
            name=html(f"{trial.trial} {trial.fusion}"),
            line={"dash": "dot", "color": COLORS[kind]} if kind else {"color": shade},
            hovertemplate="%{fullData.name}<br>%{y:.4g} after %{x}<extra></extra>",
        )
    figure.update_xaxes(title="epochs")
    figure.update_yaxes(title=axis_title(best[0]))
    return _finished(figure, 460)


def pareto(trials: list[Trial]) -> list[Trial]:
    """Those that no other beats in score without taking longer, the fastest first."""
    front = []
    for trial in sorted(trials, key=lambda t: (t.latency, -t.score)):
        if not front or trial.score > front[-1].score:
            front.append(trial)
    return front


def _losses(trials):
    return ranked(trials)[0].metric == LOSS


def _described(trial):
    values = trial.values
    lines = f"trial {trial.trial}: {fusion_text(values)}", values_text(values)
    return "<br>".join(map(html, lines))


def _finished(figure, height):
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 60, "r": 20, "t": 20, "b": 60},
        font={"family": "system-ui, sans-serif"},
        legend={"orientation": "h", "y": -0.2},
    )
    return figure
