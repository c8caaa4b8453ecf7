"""Runs the likelihoods of discrete times of pycox 0.3.0, of hazards and of a softmax.

BSD 2-clause license; code of the authors of "Continuous and Discrete-Time Survival
Prediction with Neural Networks". It needs torchtuples and numba, too.
"""

import torch
from pycox.models.loss import nll_logistic_hazard, nll_pmf

from tests.recorded.recording import write

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
INTERVALS = 4  # of which the last has no logit

logits = torch.randn(12, INTERVALS - 1, requires_grad=True)
intervals = torch.arange(12) % (INTERVALS - 1)
events = (torch.arange(12) % 4 < 2).double()
arrays = {
    "logits": logits.detach().numpy(),
    "intervals": intervals.numpy(),
    "events": events.bool().numpy(),
}
for name, likelihood in {"hazard": nll_logistic_hazard, "pmf": nll_pmf}.items():
    found = likelihood(logits, intervals, events, reduction="none")
    (slopes,) = torch.autograd.grad(found.sum(), logits)
    arrays |= {f"{name}/loss": found.detach().numpy()}
    arrays |= {f"{name}/gradient": slopes.numpy()}
write("pycox", "pycox", "BSD-2-Clause", arrays)
