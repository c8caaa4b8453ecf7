"""`keras-fusion tune`."""

import time
from pathlib import Path

from keras_fusion import tables, tuning
from keras_fusion.commands.console import console
from keras_fusion.files import write_json


def run(options) -> None:
    """Searches fusion and depth, trial by trial, and prints the leaderboard."""
    search = tuning.changed(
        tuning.read(options.search),
        trials=options.trials,
        minutes=options.minutes,
        epochs=options.epochs,
        tuner=options.tuner,
        seed=options.seed,
    )
    folder = Path(options.runs) / search["name"]
    trials = tuning.search(search, folder, _Progress(search, folder))
    path = folder / tuning.RESULTS
    write_json(path, tuning.results(search, folder))
    title = f"{search['name']}: {tuning.counted(trials)}, by validation"
    console.print(tables.rich_table(title, *tuning.leaderboard(trials)))
    console.print(f"wrote {path}")


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
