"""How soon each tuner finds what random search finds in the end.

    KERAS_FUSION_DATA=FOLDER python -m benchmarks.tuners

Five seeds of the search `tuning/leaves_fusion`, by every tuner, all with the same
budget. A tuner has caught up when one of its models has the validation score of random
search's best; what it took is its share of what random search took in all, in full
trainings (epochs, which other programs do not disturb) and in seconds of training.
Where it never did, that says so.

A tuner that trains many models for a short while draws more validation scores, and the
luckiest of them catches up sooner; so the best model of each is tested, too, once. The
data are the same for all seeds: a seed moves which points are drawn.

Searches are kept as they run: a second call goes on where the first was stopped. To
share them out, give several processes some of `--seeds` and their own `--results` each;
the call without them finds all searches done and writes the file.
"""

import argparse
import pathlib
import statistics

from keras_fusion import tuning
from keras_fusion.common.files import write_json
from keras_fusion.common.provenance import provenance
from keras_fusion.experiments import comparison, evaluation
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.tasks import task_of
from keras_fusion.tuning.report.leaderboard import ranked
from keras_fusion.tuning.results import Trial
from keras_fusion.tuning.search_file import Search, plain, recipe_of
from keras_fusion.tuning.space import alone

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = pathlib.Path(__file__).parent / "results/tuners.json"
RANDOM, TUNERS = "random", ("hyperband", "bayesian")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", default=str(ROOT / "tuning" / "leaves_fusion"))
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--tuners", nargs="+", default=TUNERS, choices=TUNERS)
    parser.add_argument("--trials", type=int, help="in place of the search's")
    parser.add_argument("--epochs", type=int, help="in place of the search's")
    parser.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs" / "tuners")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    options = parser.parse_args()
    search = tuning.changed(
        tuning.read(options.search), trials=options.trials, epochs=options.epochs
    )
    rows = []
    for seed in options.seeds:
        found = {}
        for tuner in (RANDOM, *options.tuners):
            own = tuning.changed(search, tuner=tuner, seed=seed)
            found[tuner] = tuning.search(own, folder_of(options, tuner, seed))
            print(f"seed {seed}, {tuner}: {best(found[tuner]):.4f}", flush=True)
        row = compared(found, search.training.epochs)
        for tuner, trials in found.items():
            row[tuner]["test"] = tested(search, trials, folder_of(options, tuner, seed))
        rows.append({"seed": seed, **row})
    write_json(
        options.results,
        {
            "search": plain(search),
            "seeds": rows,
            "median": medians(rows, options.tuners),
            **provenance(),
        },
    )
    print(f"wrote {options.results}")


def folder_of(options, tuner: str, seed: int) -> pathlib.Path:
    return options.runs / f"{tuner}-{seed}"


def tested(search: Search, trials: list[Trial], folder: pathlib.Path) -> float:
    """The test score of the best trial, by the weights that its search left."""
    trial, seed = ranked(trials)[0], search.training.seeds[0]
    data = load_data(recipe_of(search), seed)
    modality = alone(trial.fusion)
    data = data.only(modality) if modality else data
    run = folder / "trials" / trial.trial / f"seed-{seed}"
    model = comparison.trained(recipe_of(search, **trial.recipe), data, run)
    outputs = evaluation.full_outputs(model, data.test)
    return task_of(data).score(data.test.labels, outputs)


def compared(found: dict, epochs: int) -> dict:
    """Each tuner's best score, and its share of random search's cost to catch up."""
    goal = best(found[RANDOM])
    whole = costs(found[RANDOM], epochs)[-1]
    row = {RANDOM: {"best": goal, "trainings": whole[0], "seconds": whole[1]}}
    for tuner, trials in found.items():
        spent = costs(trials, epochs)
        reached = [cost for t, cost in zip(trials, spent) if score(t) >= goal]
        shares = [mine / all for mine, all in zip(reached[0], whole)] if reached else []
        row.setdefault(tuner, {"best": best(trials)})
        row[tuner] |= dict(zip(("share_of_trainings", "share_of_seconds"), shares))
    return row


def costs(trials: list[Trial], epochs: int) -> list[tuple[float, float]]:
    """Full trainings and seconds up to the end of each trial."""
    sums, trainings, seconds = [], 0.0, 0.0
    for trial in trials:
        trainings += trial.values.get(tuning.EPOCHS, epochs) / epochs
        seconds += trial.seconds
        sums.append((trainings, seconds))
    return sums


def medians(rows: list[dict], tuners: list[str]) -> dict:
    """Over seeds; a tuner that did not catch up counts as infinitely late."""
    kinds = ("share_of_trainings", "share_of_seconds")
    return {
        tuner: {
            kind: _or_none(
                statistics.median(row[tuner].get(kind, float("inf")) for row in rows)
            )
            for kind in kinds
        }
        for tuner in (RANDOM, *tuners)
    }


def _or_none(value):
    return None if value == float("inf") else value


def score(trial: Trial) -> float:
    return float("-inf") if trial.score is None else trial.score


def best(trials: list[Trial]) -> float:
    return ranked(trials)[0].score


if __name__ == "__main__":
    main()
