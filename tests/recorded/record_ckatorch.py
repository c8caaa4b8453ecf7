"""Runs the linear CKA of ckatorch 1.0.3.

MIT license. It needs safetensors and seaborn, too.
"""

import numpy as np
import torch
from ckatorch.core import cka_base

from tests.recorded.recording import write

rng = np.random.default_rng(0)
x = rng.normal(3, 1, (30, 5))
y = np.tanh(x[:, :3]) + rng.normal(0, 0.3, (30, 3))
found = cka_base(torch.from_numpy(x), torch.from_numpy(y), kernel="linear")
write("ckatorch", "ckatorch", "MIT", {"x": x, "y": y, "cka": found.numpy()})
