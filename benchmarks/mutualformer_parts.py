"""What each part of the MutualFormer block is worth: the block without it.

    python -m benchmarks.mutualformer_parts tools_rgbd_mutualformer --runs runs

Trains the recipe's own network with blocks that lack one part each, by the recipe's
`ablation.toml` with these in place of its rivals, on five seeds, and writes
`RUNS/RECIPE-parts/results.json`, judged on validation data. Resumes after a kill.

Many machines or processes may share the work: `--only model "without f" 0 1` trains
these methods with these seeds, and who finds everything trained writes the results.
They run where Keras' backend runs by itself, or on `--device gpu:0`.

The weights of the part that is left out are still there and never used: all blocks
begin from the same draws. The other rows of the ablation table are `ablation.toml`
itself, which needs no code of its own: epsilon, steps, X^(0), cross-attention blocks.
"""

import argparse
import contextlib
import functools
from pathlib import Path

import keras
from keras import ops

from keras_fusion import comparison, training
from keras_fusion import recipe as recipes
from keras_fusion.files import write_json
from keras_fusion.layers import MutualFormerBlock
from keras_fusion.layers.arguments import require_choice
from keras_fusion.ops.tokens import attend, join_heads, token_presence

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
    parts, kept = diffusion.project(inputs), [None] * len(inputs)
    if present is not None:
        kept = [token_presence([x], [there]) for x, there in zip(inputs, present)]
    messages = [
        [
            None if i == m else join_heads(attend(q, k, v, kept[i])[0])
            for i, (_, k, v) in enumerate(parts)
        ]
        for m, (q, _, _) in enumerate(parts)
    ]
    return exchange(inputs, present)[0], messages


def recipe_of(name: str) -> dict:
    """The recipe's ablation with the blocks of `PARTS` as its rivals."""
    home = recipes.file_of(name).parent
    recipe = recipes.read(str(home / "ablation.toml"))
    config = recipe["arguments"]["fusion"]["config"]
    rivals = {
        title: {"fusion": _described(config | {"without": part})}
        for title, part in PARTS.items()
    }
    return recipe | {"rivals": rivals}


def _described(config):
    return {"class_name": "benchmarks>BlockWithout", "config": config}


def train(recipe: dict, seeds, titles, folder: Path) -> None:
    """Trains what is not trained yet of these methods with these seeds."""
    for seed in seeds:
        data = recipes.load_data(recipe, seed)
        variants = comparison.variants(recipe, data)
        for title in titles:
            path = folder / title / f"seed-{seed}"
            record = training.fit(*variants[title], seed, path)
            print(
                f"{title}, seed {seed}: validation {record['validation']:.4f}, "
                f"{record['seconds']:.0f} s",
                flush=True,
            )


def main(arguments=None) -> None:
    """Trains what is not trained yet, and writes the results of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--runs", default="runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--only", nargs="+", default=[], help="methods, seeds of these")
    parser.add_argument("--device", help="cpu:0, gpu:0; where the backend is, if not")
    options = parser.parse_args(arguments)
    seeds, only = options.seeds, options.only
    recipe = recipes.changed(recipe_of(options.recipe), seeds=seeds)
    titles = [comparison.MODEL, *recipe["rivals"]]
    if unknown := set(only) - {*titles, *map(str, seeds)}:
        parser.error(f"--only {unknown}: expected some of {titles} and {seeds}")
    some_seeds = [s for s in seeds if str(s) in only] or seeds
    some_titles = [t for t in titles if t in only] or titles
    folder = Path(options.runs) / f"{options.recipe}-parts"
    place = keras.device(options.device) if options.device else contextlib.nullcontext()
    with place:
        train(recipe, some_seeds, some_titles, folder)
        fits = [
            folder / t / f"seed-{s}" / training.RECORD for t in titles for s in seeds
        ]
        if left := sum(not path.is_file() for path in fits):
            print(f"{left} of {len(fits)} fits are left to others")
            return
        results = comparison.compare(recipe, seeds, folder, part="validation")
    write_json(folder / "results.json", results)
    print(f"wrote {folder / 'results.json'}")


if __name__ == "__main__":
    main()
