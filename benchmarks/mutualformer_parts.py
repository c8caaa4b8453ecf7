"""What each part of the MutualFormer block is worth: the block without it.

    python -m benchmarks.mutualformer_parts tools_rgbd_mutualformer --runs runs

Trains the recipe's own network with blocks that lack one part each, by the recipe's
`ablation.toml` with these in place of its rivals, and writes
`RUNS/RECIPE-parts/results.json`, judged on validation data. Resumes after a kill.

The weights of the part that is left out are still there and never used: all blocks
begin from the same draws. The other rows of the ablation table are `ablation.toml`
itself, which needs no code of its own: epsilon, steps, X^(0), cross-attention blocks.
"""

import argparse
from pathlib import Path

import keras
from keras import ops

from keras_fusion import comparison
from keras_fusion import recipe as recipes
from keras_fusion.files import write_json
from keras_fusion.layers import MutualFormerBlock
from keras_fusion.layers.arguments import require_choice
from keras_fusion.layers.fusion.transformer import apply
from keras_fusion.ops.presence import select_all
from keras_fusion.ops.tokens import attend, join_heads, split_heads

PARTS = {
    "self-attention only": "messages",
    "self- and cross-attention": "diffusion",
    "without f": "f",
    "without g and h": "g and h",
    "without the MLP": "mlp",
}


@keras.saving.register_keras_serializable("benchmarks")
class BlockWithout(MutualFormerBlock):
    """`MutualFormerBlock` of modalities that are all there, less one part.

    * `"messages"`: `H_m = f_m([M_m | 0])`
    * `"diffusion"`: messages by cross-attention, `softmax(Q_m K_j^T / sqrt(h)) V_j`
    * `"f"`: `H_m = (M_m + mean of the M_mj) / 2`
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

    def fuse(self, inputs, present, query=None, training=None):
        normed = select_all([norm(x) for norm, x in zip(self.norms, inputs)], present)
        streams = self._streams(normed)
        if self.readout is None:
            return [x + h for x, h in zip(inputs, streams)], None
        if self.without == "g and h":
            fused = (sum(streams) + sum(inputs)) / len(inputs)
        else:
            fused = self.aggregation(ops.concatenate(streams, axis=-1))
            fused = fused + self.skip(ops.concatenate(inputs, axis=-1))
        if self.without == "mlp":
            return fused, None
        return fused + apply(self.mlp, self.norm(fused)), None

    def _streams(self, normed):
        attended, messages = self.diffusion._exchange(normed, None)
        if self.without == "diffusion":
            messages = self._asked(normed)
        sources = [[x for x in row if x is not None] for row in messages]
        sources = [sum(row) / len(row) for row in sources]
        if self.without == "f":
            return [(own + other) / 2 for own, other in zip(attended, sources)]
        streams = [own(x) for own, x in zip(self.diffusion.own, attended)]
        if self.without == "messages":
            return streams
        others = [other(x) for other, x in zip(self.diffusion.others, sources)]
        return [x + y for x, y in zip(streams, others)]

    def _asked(self, normed):
        """What each modality's queries get from each other's keys and values."""
        parts = [
            [split_heads(p, self.num_heads) for p in ops.split(heads(x), 3, axis=-1)]
            for heads, x in zip(self.diffusion.heads, normed)
        ]
        return [
            [
                join_heads(attend(q, k, v)[0])
                for j, (_, k, v) in enumerate(parts)
                if j != m
            ]
            for m, (q, _, _) in enumerate(parts)
        ]


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


def main() -> None:
    """Trains what is not trained yet, and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("--runs", default="runs")
    options = parser.parse_args()
    recipe = recipe_of(options.recipe)
    folder = Path(options.runs) / f"{options.recipe}-parts"
    results = comparison.compare(
        recipe,
        recipe["training"]["seeds"],
        folder,
        part="validation",
        report=lambda name, record: print(name, record["validation"], flush=True),
    )
    write_json(folder / "results.json", results)
    print(f"wrote {folder / 'results.json'}")


if __name__ == "__main__":
    main()
