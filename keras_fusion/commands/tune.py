"""`keras-fusion tune`."""

import time
from pathlib import Path

from keras_fusion import tables, tuning
from keras_fusion.commands.console import console
from keras_fusion.files import write_json
from keras_fusion.provenance import provenance


def run(options) -> None:
    """Searches fusion and depth, trial by trial, and prints the leaderboard."""
    search = tuning.changed(
        tuning.read(options.search),
        trials=options.trials,
        minutes=options.minutes,
        tuner=options.tuner,
        seed=options.seed,
    )
    folder = Path(options.runs) / search["name"]
    started, total = time.perf_counter(), search["search"]["trials"]
    before = len(tuning.summaries(folder))

    def report(trial):
        done = len(tuning.summaries(folder))
        each = (time.perf_counter() - started) / max(1, done - before)
        console.print(
            f"{tuning.described(trial)}  ({done} of {total}, "
            f"about {max(0, total - done) * each / 60:.0f} min left)",
            style="dim",
        )

    trials = tuning.search(search, folder, report)
    path = folder / "results.json"
    write_json(path, {"search": search, "trials": trials, **provenance()})
    title = f"{search['name']}: {tuning.counted(trials)}, validation score in percent"
    console.print(tables.rich_table(title, *tuning.leaderboard(trials)))
    console.print(f"wrote {path}")
