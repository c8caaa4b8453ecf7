"""A search as one page that needs nothing but a browser."""

import collections
import string
from pathlib import Path

from keras_fusion.common.errors import InputError
from keras_fusion.common.escaping import html
from keras_fusion.common.files import whole
from keras_fusion.experiments.reports import tables
from keras_fusion.tuning.report import leaderboard
from keras_fusion.tuning.results import Results

HEADER = (
    *("trial", "fusion", "other values", "epochs", "score", "spread"),
    *("parameters", "seconds", "ms", "status"),
)


def write_report(results: Results, path: Path) -> Path:
    """Writes the page of a search.

    It holds a leaderboard that sorts by any column, the best score by operator and
    depth, score against latency with the Pareto front, learning curves, and what
    concatenation, late average, the best single modality, gradient boosting and a
    linear model reached. Its scripts are in it: it is read without a network.

    Args:
        results: From `tuning.results`.
        path: Of the page.

    Raises:
        ImportError: If plotly is not installed.
        ValueError: If no trial has completed.
    """
    try:
        from plotly.offline import get_plotlyjs

        from keras_fusion.tuning.report import figures
    except ImportError as error:
        raise ImportError(
            'The report needs plotly: pip install "keras-fusion[tuning]".'
        ) from error
    trials = results.trials
    if not leaderboard.ranked(trials):
        raise InputError("There is nothing to report: no trial has completed.")
    drawn = {
        "heat": figures.operators_by_depth(trials),
        "latency": figures.score_against_latency(trials, results.references),
        "curves": figures.learning_curves(trials),
    }
    page = string.Template(PAGE).substitute(
        {name: _figure(name, figure) for name, figure in drawn.items()},
        title=html(results.search.name),
        about=html(_about(results)),
        summary=_summary(results),
        words=_words(results),
        test=_test(results),
        table=_table(trials),
        plotly=get_plotlyjs(),
    )
    with whole(path) as beside:
        beside.write_text(page, encoding="utf-8")
    return path


def _figure(name, figure):
    return figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True},
    )


def _about(results):
    search, trials = results.search, results.trials
    seconds = sum(trial.seconds for trial in trials)
    return (
        f"{leaderboard.counted(trials)} on {search.dataset} with "
        f"{search.builder}, {search.search.tuner} search, "
        f"{seconds / 60:.0f} minutes of training. Scores are of validation data. "
        f"{tables.origin(results)}."
    )


def _summary(results):
    """The best trial and what it has to beat, the best first."""
    trials = leaderboard.ranked(results.trials)
    counts = collections.Counter(map(leaderboard.baseline_of, trials))
    best = trials[0]
    cards = [(best, _card("best trial", best, _spent(best, len(trials)), "best"))]
    cards += [
        (trial, _card(name, trial, _spent(trial, counts[name])))
        for name, trial in leaderboard.baselines(trials).items()
    ]
    cards += [
        (found, _card(found.trial, found, "scikit-learn"))
        for found in leaderboard.referred_to(results.references, best.metric)
    ]
    return "".join(card for _, card in sorted(cards, key=lambda pair: -pair[0].score))


def _spent(trial, count):
    return (
        f"{leaderboard.fusion_text(trial.values)}, trial {trial.trial}, "
        f"{trial.epochs} epochs; the best of {count}"
    )


def _card(name, trial, text, kind=""):
    return (
        f'<div class="{kind}"><b>{leaderboard.score_text(trial)}</b>{html(name)}'
        f"<small>{html(text)}</small></div>"
    )


def _words(results):
    """What is better than every trial, and what the trials are together."""
    found = leaderboard.ahead_text(results), leaderboard.ensemble_text(results)
    return "".join(f"<p>{html(words)}</p>" for words in found if words)


def _test(results):
    """What `--against` found, where it was asked."""
    if results.test is None:
        return ""
    found = results.test
    scores = "; ".join(
        f"{name}, trial {found.winners[name].trial}: {tables.spread(runs)} %"
        for name, runs in found.scores.items()
    )
    text = (
        f"Test {found.metric} over {len(found.seeds)} seeds. {scores}. The first "
        f"is {tables.verdict(found.paired)}."
    )
    return f"<h2>On the test set</h2><p>{html(text)}</p>"


def _table(trials):
    head = "".join(f"<th><button>{name}</button></th>" for name in HEADER)
    failed = [t for t in trials if t.status == "failed"]
    rows = [_row(t) for t in [*leaderboard.ranked(trials), *failed]]
    return f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _row(trial):
    """Every cell with what it sorts by."""
    values, done = trial.values, trial.status == "completed"
    cells = [
        (trial.trial, trial.trial),
        (leaderboard.fusion_text(values),) * 2,
        (leaderboard.values_text(values),) * 2,
    ]
    if done:
        epochs, spread = trial.epochs, trial.spread
        cells += [
            (epochs, epochs),
            (leaderboard.score_text(trial), trial.score),
            ("" if spread is None else f"{spread:.4f}", spread or 0),
            (f"{trial.parameters:,}", trial.parameters),
        ]
    else:
        cells += [("", -1e9)] * 4
    cells += [
        (f"{trial.seconds:.1f}", trial.seconds),
        (f"{trial.latency:.2f}", trial.latency) if done else ("", 1e9),
        (trial.status if done else f"failed: {trial.reason}",) * 2,
    ]
    written = (
        f'<td data-by="{html(str(by))}">{html(str(text))}</td>' for text, by in cells
    )
    return f"<tr>{''.join(written)}</tr>"


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
  padding: 0 1rem; color: #222; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.15rem; }
p { max-width: 60rem; color: #555; }
.summary { display: flex; flex-wrap: wrap; gap: 1rem; }
.summary div { flex: 1 1 12rem; padding: .8rem 1rem; border-left: 4px solid #d55e00;
  background: #f6f6f6; }
.summary .best { border-color: #0072b2; }
.summary b { display: block; font-size: 1.4rem; }
.summary small { display: block; color: #555; }
.scroll { overflow-x: auto; max-height: 36rem; }
table { border-collapse: collapse; font-size: 13px; width: 100%; }
td, th { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #ddd;
  vertical-align: top; }
td:nth-child(5) { white-space: nowrap; }
th { position: sticky; top: 0; background: #fff; white-space: nowrap; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid #0072b2; }
th[aria-sort=ascending] button::after { content: " \\25B2"; }
th[aria-sort=descending] button::after { content: " \\25BC"; }
</style>
<script>$plotly</script>
<h1>$title</h1>
<p>$about</p>
<div class="summary">$summary</div>
$words
$test
<h2>Score by operator and depth</h2>
<p>The best trial of each operator (down) at each depth of the encoders before fusion
and of the fusion blocks (across).</p>
$heat
<h2>Score against latency</h2>
<p>Each point is a trial. No trial is both better and faster than those on the solid
line. The broken lines are the scores that fusion has to beat.</p>
$latency
<h2>Learning curves</h2>
<p>The curves are validation scores of the best trials, and the darkest is that of the
best one. Those of the best baselines are dotted.</p>
$curves
<h2>All trials</h2>
<p>A click on a column sorts by it.</p>
<div class="scroll"><table id="leaderboard">$table</table></div>
<script>
const table = document.getElementById("leaderboard"), body = table.tBodies[0];
const heads = [...table.tHead.rows[0].cells];
heads.forEach((head, column) => head.onclick = () => {
  const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  heads.forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down > 0 ? "ascending" : "descending");
  const by = row => row.cells[column].dataset.by;
  const order = (a, b) => isNaN(by(a)) || isNaN(by(b))
    ? by(a).localeCompare(by(b)) : by(a) - by(b);
  body.append(...[...body.rows].sort((a, b) => down * order(a, b)));
});
</script>
</html>
"""
