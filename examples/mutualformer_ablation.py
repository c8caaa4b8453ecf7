"""What the MutualFormer block's settings and parts are worth, one change each.

    python -m examples.mutualformer_ablation tools_rgbd_mutualformer --runs runs

Trains the recipe's own network with other settings (the baselines in `ablation.toml`:
epsilon, steps, X^(0), cross-attention blocks) and with blocks that lack one part, on
five seeds, judges them on validation data, and writes `ablation.json` and the table of
the recipe's card. Resumes after a kill.

Many machines or processes may share the work: `--seeds 0 1 --only model "without f"`
trains these alone, and whoever finds all of them trained writes the results. They run
where Keras' backend runs by itself, or on `--device gpu:0`.

The weights of the part that is left out are still there and never used: all blocks
begin from the same draws.
"""

import argparse
import contextlib
import dataclasses
import functools
import itertools
from pathlib import Path

import keras
from keras import ops

from keras_fusion.catalogue import find
from keras_fusion.experiments import comparison, record, training
from keras_fusion.experiments import recipe as recipes
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.reports.card import replaced
from keras_fusion.experiments.results import Results
from keras_fusion.experiments.runs import COMPILED
from keras_fusion.files import whole
from keras_fusion.layers import MutualFormerBlock
from keras_fusion.layers.arguments import require_choice
from keras_fusion.ops.tokens import attend, join_heads

BEGIN = "<!-- ablation: written by examples.mutualformer_ablation -->"
PARTS = {
    "self-attention only": "messages",
    "self- and cross-attention": "diffusion",
    "without f": "f",
    "without g and h": "g and h",
    "without the MLP": "mlp",
}


@keras.saving.register_keras_serializable("benchmarks")
class BlockWithout(MutualFormerBlock):
    """`MutualFormerBlock` less one part, in whose place stands a map without weights.

    All else is the block's own: absence, dropout, stochastic depth.

    * `"messages"`: `H_m = f_m([M_m | 0])`
    * `"diffusion"`: messages by cross-attention, `softmax(Q_m K_j^T / sqrt(h)) V_j`
    * `"f"`: `H_m = (M_m + mean of the M_mj present) / 2`
    * `"g and h"`: `Y = mean of H_m + mean of X_m`
    * `"mlp"`: `P = Y`

    Args:
        without: One of these.
        **kwargs: As for `MutualFormerBlock`.
    """

    has_weights = False

    def __init__(self, units=None, without="messages", **kwargs):
        super().__init__(units, **kwargs)
        self.without = require_choice(self, "without", without, PARTS.values())

    def build(self, input_shape):
        super().build(input_shape)
        diffusion, count = self.diffusion, self.num_modalities
        others = len(diffusion.others)  # none where there is one modality
        if self.without == "messages":
            diffusion.others = [ops.zeros_like] * others
        elif self.without == "diffusion":
            diffusion.exchange = functools.partial(ask, diffusion, diffusion.exchange)
        elif self.without == "f":
            diffusion.own, diffusion.others = [halved] * count, [halved] * others
        elif self.without == "g and h" and self.readout:
            del self.aggregation, self.skip  # torch puts but a module in their place
            self.aggregation = self.skip = functools.partial(mean, count)
        elif self.without == "mlp":
            self.mlp = [ops.zeros_like]


def halved(x):
    return x / 2


def mean(count, x):
    """Of the `count` modalities that stand side by side in the last axis."""
    return sum(ops.split(x, count, axis=-1)) / count


def ask(diffusion, exchange, inputs, present):
    """`exchange` with what each modality's queries get from each other's keys."""
    parts = diffusion.project(inputs)
    kept = [present.pick([m]).tokens([x]) for m, x in enumerate(inputs)]
    messages = [
        [
            None if i == m else join_heads(attend(q, k, v, kept[i])[0])
            for i, (_, k, v) in enumerate(parts)
        ]
        for m, (q, _, _) in enumerate(parts)
    ]
    return exchange(inputs, present)[0], messages


def recipe_of(name: str) -> recipes.Recipe:
    """The recipe's ablation with the blocks of `PARTS` as further baselines."""
    home = recipes.file_of(name).parent
    recipe = recipes.read(str(home / "ablation.toml"))
    config = recipe.arguments["fusion"]["config"]
    further = {
        title: {"fusion": _described(config | {"without": part})}
        for title, part in PARTS.items()
    }
    return dataclasses.replace(recipe, baselines=recipe.baselines | further)


def _described(config):
    return {"class_name": "benchmarks>BlockWithout", "config": config}


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
    """Every method with its difference to the recipe's block, as Markdown."""
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


def main(arguments=None) -> None:
    """Trains what is not trained yet, and writes the results of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--runs", default="runs")
    parser.add_argument("--seeds", type=int, nargs="+", help="the recipe's, if not")
    parser.add_argument("--only", nargs="+", metavar="CHANGE", default=[])
    parser.add_argument("--device", help="cpu:0, gpu:0; where the backend is, if not")
    options = parser.parse_args(arguments)
    recipe = recipe_of(options.recipe)
    seeds = recipe.training.seeds
    folder = Path(options.runs) / recipe.name
    keep_compiled(folder / COMPILED)
    place = keras.device(options.device) if options.device else contextlib.nullcontext()
    with place:
        train(recipe, options.seeds or seeds, options.only, folder)
        if count := left(recipe, folder):
            print(f"{count} fits are left to others")
            return
        results = comparison.compare(recipe, seeds, folder, part="validation")
    publish(results, recipes.file_of(options.recipe).parent)


def publish(results: Results, home: Path) -> None:
    """Writes `ablation.json` and the card's table into the recipe's folder."""
    card = home / "README.md"
    text = replaced(card.read_text(), BEGIN, table(results))
    results.write(home / "ablation.json")
    with whole(card) as beside:
        beside.write_text(text)
    print(f"wrote {home / 'ablation.json'} and {card}")


if __name__ == "__main__":
    main()
