"""What an ablation of any recipe needs: fits that many share, a table, a place for it.

The baselines of the recipe are its changes.
"""

import itertools
from pathlib import Path

from keras_fusion.common.catalogue import find
from keras_fusion.common.files import whole
from keras_fusion.experiments import comparison, recipes, record, training
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.reports.card import replaced
from keras_fusion.experiments.results import Results


def train(recipe: recipes.Recipe, seeds, only, folder: Path) -> None:
    """Trains the changes that `only` names, all if empty, with these seeds."""
    titles = [comparison.MODEL, *recipe.baselines]
    chosen = [find("change", title, {t: t for t in titles}) for title in only] or titles
    for seed in seeds:
        data = recipes.load_data(recipe, seed)
        variants = comparison.variants(recipe, data)
        for title in chosen:
            path = folder / title / f"seed-{seed}"
            run = training.fit(*variants[title], seed, path)
            print(
                f"{title}, seed {seed}: validation {run.validation:.4f}, "
                f"{run.seconds:.0f} s",
                flush=True,
            )


def left(recipe: recipes.Recipe, folder: Path) -> int:
    """How many of the fits that the table needs are not there yet."""
    titles = [comparison.MODEL, *recipe.baselines]
    fits = itertools.product(titles, recipe.training.seeds)
    files = (folder / t / f"seed-{s}" / record.FILE for t, s in fits)
    return sum(not file.is_file() for file in files)


def table(results: Results) -> str:
    """Every change with the recipe's own model against it, as Markdown."""
    rows = []
    for method, runs in results.scores.items():
        change = results.paired.get(method)
        rows.append(
            [
                "as in the recipe" if change is None else method,
                tables.spread(runs.all),
                "" if change is None else tables.verdict(change["all"]),
            ]
        )
    header = ["change", f"{results.metric}, %", "the recipe's block against it"]
    return "\n\n".join(
        [
            "On validation data, mean ± standard deviation over seeds "
            f"{results.seeds}.",
            tables.markdown_table(header, rows),
            f"{tables.origin(results)}.",
        ]
    )


def publish(results: Results, home: Path, begin: str) -> None:
    """Writes `ablation.json` and the card's table behind the line `begin`."""
    card = home / "README.md"
    text = replaced(card.read_text(), begin, table(results))
    results.write(home / "ablation.json")
    with whole(card) as beside:
        beside.write_text(text)
    print(f"wrote {home / 'ablation.json'} and {card}")
