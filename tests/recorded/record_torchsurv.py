"""Runs Cox' partial likelihood and Breslow's baseline of torchsurv 0.2.0, with ties.

MIT license. It computes in float32. It needs torchmetrics and lightning-utilities, too.
"""

import numpy as np
import torch
from torchsurv.loss.cox import baseline_survival_function, neg_partial_log_likelihood

from tests.recorded.recording import write

rng = np.random.default_rng(0)
times = torch.from_numpy(np.ceil(rng.exponential(4, 40)))  # of which many are equal
events = torch.from_numpy(rng.random(40) < 0.6)
scores = torch.from_numpy(rng.normal(0, 2, 40)).float().requires_grad_()

# The sum, since its mean is over the times at which there are events.
loss = neg_partial_log_likelihood(
    scores, events, times, ties_method="breslow", reduction="sum"
)
(slopes,) = torch.autograd.grad(loss, scores)
baseline = baseline_survival_function(scores.detach(), events, times)
write(
    "torchsurv",
    "torchsurv",
    "MIT",
    {
        "times": times.numpy(),
        "events": events.numpy(),
        "scores": scores.detach().numpy(),
        "loss": loss.detach().numpy(),
        "gradient": slopes.numpy(),
        "baseline/times": baseline["time"].numpy(),
        "baseline/survival": baseline["baseline_survival"].numpy(),
    },
)
