"""Runs the product of Gaussian experts of multivae 1.0.3, beside the prior.

Apache 2.0 license. Only its function runs, since the package imports pythae.
"""

import torch

from tests.recorded.recording import alone, write

product = alone("multivae.models.base.base_utils").stable_poe
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)

means, variances = torch.randn(2, 4, 5), torch.randn(2, 4, 5)  # (M, B, D), logarithms
prior = torch.zeros(1, 4, 5)
arrays = {"means": means.numpy(), "variances": variances.numpy()}
for name, count in {"two": 2, "first": 1}.items():
    mean, variance = product(
        torch.cat([prior, means[:count]]), torch.cat([prior, variances[:count]])
    )
    arrays[name] = torch.cat([mean, variance], dim=-1).numpy()
write("multivae", "multivae", "Apache-2.0", arrays)
