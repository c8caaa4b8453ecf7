"""Runs the multimodal adaptation gate of multimodal-transformers 0.4.0.

MIT license; not by the authors of MAG, after whom it is made. Its one bias outside of
the gates stays zero. Only its combiner runs, since the package imports transformers.
"""

import types

import torch

from tests.recorded.recording import alone, weights_of, write

combiner = alone("multimodal_transformers.model.tabular_combiner")
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
BETA = 0.3

module = combiner.TabularFeatCombiner(
    types.SimpleNamespace(
        combine_feat_method="gating_on_cat_and_num_feats_then_sum",
        text_feat_dim=5,
        cat_feat_dim=3,
        numerical_feat_dim=4,
        num_labels=2,
        numerical_bn=False,
        categorical_bn=False,
        mlp_act="relu",
        mlp_dropout=0.0,
        mlp_division=2,
        gating_beta=BETA,
    )
)
text, categories, numbers = (torch.randn(6, width) for width in (5, 3, 4))
text[::2] *= 5  # so that only some shifts are as long as the limit
with torch.no_grad():
    output = module(text, categories, numbers)
arrays = {"text": text, "categories": categories, "numbers": numbers, "output": output}
arrays = {name: x.numpy() for name, x in arrays.items()} | {"beta": BETA}
arrays |= weights_of(module, "weights")
write("multimodal_transformers", "multimodal-transformers", "MIT", arrays)
