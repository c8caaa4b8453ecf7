"""Runs the conformal sets of torchcp 1.2.1: LAC, and APS without its randomization.

LGPL 3.0 license. (Of mapie, APS draws at random also where its sets do not.)
"""

import sys
import unittest.mock

import numpy as np
import torch

from tests.recorded.recording import write

for name in ("torchsort", "transformers"):  # for parts that do not run here
    sys.modules[name] = unittest.mock.MagicMock()

# ruff: noqa: E402
from torchcp.classification.predictor import SplitPredictor
from torchcp.classification.score import APS, LAC

CLASSES, ROWS = 4, 60
LEVELS = np.array([0.5, 0.8, 0.9])

rng = np.random.default_rng(0)
known, new = rng.dirichlet(np.ones(CLASSES), (2, ROWS))
labels = np.array([rng.choice(CLASSES, p=p) for p in known])
arrays = {"known": known, "new": new, "labels": labels, "levels": LEVELS}
for name, score in {
    "lac": LAC(score_type="identity"),
    "aps": APS(score_type="identity", randomized=False),
}.items():
    found = []
    for level in LEVELS:
        sets = SplitPredictor(score)
        sets.calculate_threshold(torch.tensor(known), torch.tensor(labels), 1 - level)
        found.append(sets.predict_with_logits(torch.tensor(new)).bool().numpy())
    arrays[name] = np.stack(found)
write("torchcp", "torchcp", "LGPL-3.0", arrays)
