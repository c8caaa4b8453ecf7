"""`keras-fusion tune`."""

import dataclasses
import logging
import time
from pathlib import Path

from keras_fusion import tuning
from keras_fusion.cli import promote
from keras_fusion.cli.console import console
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import own_data, recipes
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.runs import labels_of
from keras_fusion.tuning import judging, promotion
from keras_fusion.tuning.report.leaderboard import (
    ahead_text,
    ensemble_text,
    ranked,
    unfinished,
)
from keras_fusion.tuning.results import read

SEEDS = (0, 1, 2, 3, 4)


def run(options) -> None:
    """Searches fusion and depth, trial by trial, and prints the leaderboard."""
    if options.debug:  # why a trial failed
        logging.basicConfig()
        logging.getLogger(tuning.__name__).setLevel(logging.DEBUG)
    if options.publish and own_data.is_data(options.search):
        raise InputError(
            f"--publish writes beside search.toml; {options.search} has none."
        )
    search = _search_of(options, options.search)
    folder = Path(options.runs) / search.name
    if options.ensemble and not options.promote:
        raise InputError("--ensemble says what --promote NAME promotes: name it.")
    if options.promote:
        promote.check(options.promote, options.ensemble)
    other = _other(search, options) if options.against else None
    progress = _Progress(search, folder)
    if options.promote and not options.ensemble:
        console.say(promote.LATER.format(len(promotion.SEEDS)))
    trials = tuning.search(
        search,
        folder,
        progress,
        workers=options.workers,
        address=options.address,
        gpus=options.gpus_per_trial,
        storage=options.storage,
    )
    if tuning.exhausted(folder):
        console.print("The space is exhausted: there are no other points to try.")
    path = folder / tuning.RESULTS
    results = tuning.results(search, folder)
    results = dataclasses.replace(results, test=_tested(path, trials))
    results.write(path)
    measure = ranked(trials)[0].metric.replace("_", " ")
    rows = tuning.leaderboard_rows(trials, references=results.references)
    title = f"{search.name}: {tuning.counted(trials)}, by {measure} on validation"
    console.print(tables.rich_table(title, *rows))
    for words in (unfinished(trials), ahead_text(results), ensemble_text(results)):
        if words:
            console.say(words, style="bold")
    if other:
        judged = _judge(results, other, folder)
        results = dataclasses.replace(results, test=judged)
        results.write(path)
    written = [path]
    if options.report:
        written.append(tuning.write_report(results, folder / "report.html"))
    if options.tensorboard:
        written.append(tuning.write_hparams(trials, folder / "tensorboard"))
    if options.publish:
        written.append(_home(options.search) / tuning.RESULTS)
        results.write(written[-1])
    for path in written:
        console.print(f"wrote {path}")
    if options.promote:
        write = promote.promote_ensemble if options.ensemble else promote.promote
        write(results, options.promote, folder)


def _search_of(options, name):
    labels = labels_of(options)
    if own_data.is_data(name):
        search = tuning.search_for(own_data.recipe_for(name, **labels))
    else:
        search = recipes.changed(tuning.read(name), **labels)
    return tuning.changed(
        search,
        trials=options.trials,
        minutes=options.minutes,
        epochs=options.epochs,
        tuner=options.tuner,
        seed=options.seed,
    )


def _home(name):
    path = Path(name)
    return path if path.is_dir() else path.parent


def _other(search, options):
    """The results of the search to compare with, which has ended before."""
    name = _search_of(options, options.against).name
    path = Path(options.runs) / name / tuning.RESULTS
    if not path.is_file():
        raise InputError(
            f"{path} is not there: run `keras-fusion tune {options.against}` first."
        )
    other = read(path)
    judging.check_comparable(search, other.search)
    return other


def _tested(path, trials):
    """The test of an earlier call, as long as the winner is the same."""
    before = read(path) if path.is_file() else None
    if before is None or before.test is None:
        return None
    winner = before.test.winners[before.search.name]
    return before.test if winner.trial == ranked(trials)[0].trial else None


def _judge(results, other, folder):
    """Both winners on the test set."""
    searches = {found.search.name: found for found in (results, other)}

    def report(name, record):
        console.print(f"{name}: {record.seconds:.1f} s", style="dim")

    found = judging.judge(searches, SEEDS, folder / "test", report)
    fusions = {n: tuning.fusion_text(w.values) for n, w in found.winners.items()}
    rows = [[n, fusions[n], tables.spread(runs)] for n, runs in found.scores.items()]
    title = f"test {found.metric} in percent, {len(SEEDS)} seeds"
    console.print(tables.rich_table(title, ["search", "winner", "test"], rows))
    console.print(f"the first is {tables.verdict(found.paired)}")
    return found


class _Progress:
    """Prints each trial as it ends, with how much is done and the time left."""

    def __init__(self, search, folder):
        budget = search.search
        self.total, self.minutes = budget.trials, budget.minutes
        self.epochs = search.training.epochs
        before = tuning.summaries(folder)
        self.before = self.done = sum(map(self._part, before))
        self.used = sum(t.seconds for t in before) / 60
        self.began = time.perf_counter()
        most = f"{self.total} full trainings"
        if self.minutes:
            unit = "minute" if self.minutes == 1 else "minutes"
            most = f"{self.minutes:g} {unit} and {most}"
        words = f"at most {most} by {budget.tuner} search into {folder}"
        if before:
            words += f"; {len(before)} are there already"
        console.print(words, style="bold")

    def __call__(self, trial):
        self.done += self._part(trial)
        passed = (time.perf_counter() - self.began) / 60
        left = max(0, self.total - self.done) * passed / (self.done - self.before)
        if self.minutes:
            left = min(left, max(0, self.minutes - self.used - passed))
        console.print(
            f"{tuning.described(trial)}  ({self.done:.4g} of {self.total}, "
            f"about {left:.0f} min left)",
            style="dim",
        )
        if trial.status == "completed":
            # A line of this form is what Katib's metrics collector reads.
            console.print(f"score={trial.score:.6f}")

    def _part(self, trial):
        """How much of a full trial this is."""
        return trial.values.get(tuning.EPOCHS, self.epochs) / self.epochs
