"""What the MutualFormer block's settings and parts are worth, one change each.

    python -m examples.mutualformer_ablation examples/tools_rgbd_mutualformer

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
from pathlib import Path

import keras

from benchmarks import ablation
from benchmarks.mutualformer_parts import PARTS
from keras_fusion.experiments import comparison, recipes
from keras_fusion.experiments.compilation import keep_compiled
from keras_fusion.experiments.runs import COMPILER_CACHE

BEGIN = "<!-- ablation: written by examples.mutualformer_ablation -->"


def recipe_of(name: str) -> recipes.Recipe:
    """The recipe's ablation with the blocks of `PARTS` as further baselines."""
    home = recipes.file_of(name).parent
    recipe = recipes.read(str(home / "ablation.toml"))
    config = recipe.arguments["fusion"]["config"]
    block = "benchmarks>BlockWithout"
    further = {
        title: {"fusion": {"class_name": block, "config": config | {"without": part}}}
        for title, part in PARTS.items()
    }
    return dataclasses.replace(recipe, baselines=recipe.baselines | further)


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
    keep_compiled(folder / COMPILER_CACHE)
    place = keras.device(options.device) if options.device else contextlib.nullcontext()
    with place:
        ablation.train(recipe, options.seeds or seeds, options.only, folder)
        if count := ablation.left(recipe, folder):
            print(f"{count} fits are left to others")
            return
        results = comparison.compare(recipe, seeds, folder, part="validation")
    ablation.publish(results, recipes.file_of(options.recipe).parent, BEGIN)


if __name__ == "__main__":
    main()
