"""Whether a search finds something better than what a person has without one.

    KERAS_FUSION_DATA=FOLDER python -m benchmarks.search --minutes 5

`keras-fusion tune FILE --minutes N` on splits of the data of `benchmarks.defaults`. Its
best trial by validation, and the ensemble that it chose, stand beside a plain network
on all modalities side by side, the default, the late average and the best single
modality, which are its own first trials, and beside gradient boosting and a linear
model on the same rows. The test rows are judged once. What is there in the results is
not searched again, so a study that was stopped goes on.
"""

import dataclasses
import statistics
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import defaults_data, study
from benchmarks.report import ROOT
from keras_fusion import tuning
from keras_fusion.experiments import classical, comparison, evaluation
from keras_fusion.experiments.own_data import recipe_for
from keras_fusion.experiments.recipes import Split, load_data
from keras_fusion.experiments.tasks import task_of
from keras_fusion.tuning.report.leaderboard import ranked
from keras_fusion.tuning.search_file import recipe_of
from keras_fusion.tuning.space import CONCATENATION, LATE, alone

RESULTS = ROOT / "benchmarks" / "results" / "search.json"
PAGE = ROOT / "benchmarks" / "search.md"
DATA = (
    *("leaves, 3 labels", "mfeat, 10 labels", "actions", "reviews", "stamps"),
    *("spoken digits", "cancer", "leaves", "mfeat"),
)
BEST, ENSEMBLE = "search", "search, ensemble"
DEFAULT, SINGLE = "default", "best single"
AUTOGLUON = "AutoGluon"  # which benchmarks.beside_autogluon puts beside them
NAMES = (BEST, ENSEMBLE, CONCATENATION, DEFAULT, LATE, SINGLE)
OTHERS = (*NAMES[2:], classical.BOOSTING, classical.LINEAR, AUTOGLUON)
HEADER = """# What a search is worth

Written by `python -m benchmarks.search --page` from
[results/search.json](results/search.json).
{what}

Test scores in percent, mean over the splits. `ahead` is the search's ensemble less the
best of all others on that data set, which is chosen by these test scores, with its
standard error over the splits; `rank` is the mean over the data sets of the place among
all, 1 for the best.

"""


def main():
    parser = study.parser(__doc__, RESULTS)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--splits", type=int, nargs="+", default=range(5))
    options = parser.parse_args()
    found = study.read(options.results)
    if options.page:
        PAGE.write_text(page(found))
        return
    for split in options.splits:
        for data in options.data:
            key = f"{data}, {options.minutes:g} min"
            cell = found.setdefault(key, {})
            if str(split) not in cell:
                cell[str(split)] = searched(data, split, options.minutes)
                study.keep(options.results, found, f"{key}, split {split}: {cell}")


def searched(name: str, split: int, minutes: float) -> dict:
    """Test scores by name, and how many trials ended."""
    case = defaults_data.CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npz"
        write(file, defaults_data.split(case, case.read(), split))
        recipe = recipe_for(str(file), "y", task="classification")
        recipe = dataclasses.replace(recipe, split=Split(by="column:part"))
        search = tuning.changed(tuning.search_for(recipe), minutes=minutes)
        trials = tuning.search(search, Path(folder) / "search")
        results = tuning.results(search, Path(folder) / "search")
        return _judged(search, trials, results, Path(folder) / "search")


def write(file: Path, parts: dict) -> None:
    """The rows of all parts, and which part each is in."""
    names = np.repeat([*parts], [len(part.labels) for part in parts.values()])
    inputs = {
        m: np.concatenate([part.inputs[m] for part in parts.values()])
        for m in parts["train"].inputs
    }
    labels = np.concatenate([part.labels for part in parts.values()])
    np.savez(file, **inputs, y=labels, part=names)


def _judged(search, trials, results, folder):
    data = load_data(recipe_of(search), 0)
    score = task_of(data).score

    def outputs(trial):
        modality = alone(trial.fusion)
        own = data.only(modality) if modality else data
        run = folder / "trials" / trial.trial / "seed-0"
        model = comparison.trained(recipe_of(search, **trial.recipe), own, run)
        return evaluation.full_outputs(model, own.test)

    done = [t for t in trials if t.status == "completed"]
    chosen = {BEST: ranked(done)[0]} | _first(done)
    found = {name: outputs(trial) for name, trial in chosen.items()}
    weights = results.ensemble.weights or {chosen[BEST].trial: 1}
    members = [weights[t.trial] * outputs(t) for t in done if t.trial in weights]
    found[ENSEMBLE] = sum(members) / sum(weights.values())
    for name, predict in classical.fitted(data, seed=0).items():
        found[name] = predict(data.test)
    scores = {n: float(score(data.test.labels, x)) for n, x in found.items()}
    return scores | {"trials": len(done)}


def _first(trials):
    """What everybody should have tried, by name, as far as there was time."""
    found = {}
    for trial in trials:
        name = SINGLE if alone(trial.fusion) else trial.fusion
        if name == SINGLE:
            if SINGLE not in found or trial.score > found[SINGLE].score:
                found[SINGLE] = trial
        elif trial.fusion not in (CONCATENATION, LATE):
            found.setdefault(DEFAULT, trial)
        else:
            found.setdefault(name, trial)
    return found


def page(cells: dict) -> str:
    """The page of what was found."""
    what = __doc__.split("\n\n", 2)[2].strip()
    names = [*NAMES[:2], *OTHERS]
    lines = [
        f"| data | splits | trials | {' | '.join(names)} | ahead |",
        f"| --- | ---: | ---: | {' | '.join(['---:'] * len(names))} | ---: |",
    ]
    ranks = []
    for data, cell in cells.items():
        means = {n: _mean(cell, n) for n in names}
        known = sorted((x for x in means.values() if x is not None), reverse=True)
        ranks.append({n: known.index(x) for n, x in means.items() if x is not None})
        shown = ["" if x is None else f"{100 * x:.1f}" for x in means.values()]
        trials = statistics.mean(row["trials"] for row in cell.values())
        ahead = _ahead(cell, means)
        row = [data, str(len(cell)), f"{trials:.0f}", *shown, ahead]
        lines.append(f"| {' | '.join(row)} |")
    places = [[r[n] + 1 for r in ranks if n in r] for n in names]
    row = ["rank", "", "", *(f"{statistics.mean(p):.1f}" for p in places), ""]
    lines.append(f"| {' | '.join(row)} |")
    return HEADER.format(what=what) + "\n".join(lines) + "\n"


def _mean(cell, name):
    found = [row[name] for row in cell.values() if name in row]
    return statistics.mean(found) if len(found) == len(cell) else None


def _ahead(cell, means):
    """Of the best other on this data set, in points."""
    best = max((n for n in OTHERS if means[n] is not None), key=means.get)
    gaps = [100 * (row[ENSEMBLE] - row[best]) for row in cell.values()]
    error = statistics.stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else None
    spread = "" if error is None else f"±{error:.1f}"
    return f"{statistics.mean(gaps):+.1f}{spread} ({best})"


if __name__ == "__main__":
    main()
