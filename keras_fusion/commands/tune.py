"""`keras-fusion tune`."""

import json
import time
from pathlib import Path

from keras_fusion import tables, tuning
from keras_fusion.commands.console import console
from keras_fusion.commands.promote import promote
from keras_fusion.files import write_json
from keras_fusion.tuning import judging

SEEDS = (0, 1, 2, 3, 4)


def run(options) -> None:
    """Searches fusion and depth, trial by trial, and prints the leaderboard."""
    search = _search_of(options, options.search)
    folder = Path(options.runs) / search["name"]
    if options.promote and (Path("zoo") / options.promote).exists():
        raise ValueError(f"zoo/{options.promote} is there already: name another one.")
    progress = _Progress(search, folder)
    trials = tuning.search(search, folder, progress, workers=options.workers)
    if tuning.is_worker():
        return  # the chief has the results
    results = tuning.results(search, folder)
    if options.against:
        results["test"] = _judge(results, options, folder)
    path = folder / tuning.RESULTS
    write_json(path, results)
    title = f"{search['name']}: {tuning.counted(trials)}, by validation"
    console.print(tables.rich_table(title, *tuning.leaderboard_rows(trials)))
    written = [path]
    if options.report:
        written.append(tuning.write_report(results, folder / "report.html"))
    if options.tensorboard:
        written.append(tuning.write_hparams(trials, folder / "tensorboard"))
    if options.publish:
        written.append(_home(options.search) / tuning.RESULTS)
        write_json(written[-1], results)
    for path in written:
        console.print(f"wrote {path}")
    if options.promote:
        promote(results, options.promote, folder)


def _search_of(options, name):
    return tuning.changed(
        tuning.read(name),
        trials=options.trials,
        minutes=options.minutes,
        epochs=options.epochs,
        tuner=options.tuner,
        seed=options.seed,
    )


def _home(name):
    path = Path(name)
    return path if path.is_dir() else path.parent


def _judge(results, options, folder):
    """Both winners on the test set; the other search has ended before."""
    other = _search_of(options, options.against)
    path = Path(options.runs) / other["name"] / tuning.RESULTS
    if not path.is_file():
        raise ValueError(
            f"{path} is not there: run `keras-fusion tune {options.against}` first."
        )
    searches = {
        results["search"]["name"]: results,
        other["name"]: json.loads(path.read_text()),
    }

    def report(name, record):
        console.print(f"{name}: {record['seconds']:.1f} s", style="dim")

    found = judging.judge(searches, SEEDS, folder / "test", report)
    fusions = {n: tuning.fusion_text(w["values"]) for n, w in found["winners"].items()}
    rows = [[n, fusions[n], tables.spread(runs)] for n, runs in found["scores"].items()]
    title = f"test {found['metric']} in percent, {len(SEEDS)} seeds"
    console.print(tables.rich_table(title, ["search", "winner", "test"], rows))
    console.print(f"the first is {tables.verdict(found['paired'])}")
    return found


class _Progress:
    """Prints each trial as it ends, with how much is done and the time left."""

    def __init__(self, search, folder):
        budget = search["search"]
        self.total, self.minutes = budget["trials"], budget["minutes"]
        self.epochs = search["training"]["epochs"]
        before = tuning.summaries(folder)
        self.before = self.done = sum(map(self._part, before))
        self.trained = sum(t["seconds"] for t in before) / 60
        self.began = time.perf_counter()
        words = f"{self.total} trials by {budget['tuner']} search into {folder}"
        if before:
            words += f"; {len(before)} are there already"
        console.print(words, style="bold")

    def __call__(self, trial):
        self.done += self._part(trial)
        self.trained += trial["seconds"] / 60
        passed = (time.perf_counter() - self.began) / 60
        left = max(0, self.total - self.done) * passed / (self.done - self.before)
        if self.minutes:
            left = min(left, max(0, self.minutes - self.trained))
        console.print(
            f"{tuning.described(trial)}  ({self.done:.4g} of {self.total}, "
            f"about {left:.0f} min left)",
            style="dim",
        )

    def _part(self, trial):
        """How much of a full trial this is."""
        return trial["values"].get(tuning.EPOCHS, self.epochs) / self.epochs
