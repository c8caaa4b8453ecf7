"""The winners of two searches on the test set, once, when all is chosen."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import comparison, evaluation, training
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.tasks import task_of
from keras_fusion.tuning.report.leaderboard import ranked
from keras_fusion.tuning.results import Judged, Results, Winner
from keras_fusion.tuning.search_file import Search, recipe_of
from keras_fusion.tuning.space import alone

BUDGET = ("trials", "minutes", "tuner")


def judge(
    searches: dict[str, Results],
    seeds: Iterable[int],
    folder: Path,
    report: Callable[[str, Record], None] = lambda name, record: None,
) -> Judged:
    """Trains the best trial of each search anew, for each seed, and tests it.

    What a seed moves is which rows validate, which labels are kept, and the training;
    nothing is chosen here.

    Args:
        searches: Two results by name, as `tuning.results` makes them.
        seeds: One split and one run of both each.
        folder: Gets the runs, `<name>/trial-<trial>/seed-<seed>/`.
        report: Is told name and record of every run as it ends.

    Raises:
        ValueError: If the searches are of other data, or unequal in size.
    """
    both = {name: found.search for name, found in searches.items()}
    check_comparable(*both.values())
    scores = {name: [] for name in searches}
    winners = {name: ranked(r.trials)[0] for name, r in searches.items()}
    for seed in seeds:
        for name, search in both.items():
            trial = winners[name]
            data = load_data(recipe_of(search), seed)
            modality = alone(trial.fusion)
            data = data.only(modality) if modality else data
            recipe = recipe_of(search, **trial.recipe)
            path = folder / name / f"trial-{trial.trial}" / f"seed-{seed}"
            report(f"{name}, seed {seed}", training.fit(recipe, data, seed, path))
            model = comparison.trained(recipe, data, path)
            outputs = evaluation.full_outputs(model, data.test)
            scores[name].append(task_of(data).score(data.test.labels, outputs))
    return Judged(
        metric=task_of(data).metric,
        seeds=list(seeds),
        scores=scores,
        winners={name: _kept(trial) for name, trial in winners.items()},
        paired=evaluation.paired_interval(*scores.values()),
    )


def _kept(trial):
    kept = (key.name for key in dataclasses.fields(Winner))
    return Winner(**{key: getattr(trial, key) for key in kept})


def check_comparable(first: Search, second: Search) -> None:
    """Raises a ValueError unless two searches had the same data and budget."""
    for key in ("dataset", "split", "builder"):
        one, other = getattr(first, key), getattr(second, key)
        if one != other:
            raise InputError(
                f"Two searches are compared on the same {key}; received {one} "
                f"and {other}."
            )
    budgets = [
        (*(getattr(s.search, k) for k in BUDGET), s.training.epochs)
        for s in (first, second)
    ]
    if budgets[0] != budgets[1]:
        raise InputError(
            f"Two searches are compared by the same budget; received "
            f"{', '.join(BUDGET)} and epochs {budgets[0]} and {budgets[1]}."
        )
