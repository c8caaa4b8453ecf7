"""The MutualFormer block less one part each, for its ablation."""

import functools

import keras
from keras import ops

from keras_fusion.layers import MutualFormerBlock
from keras_fusion.layers.arguments import require_choice
from keras_fusion.ops.tokens import attend, join_heads

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
