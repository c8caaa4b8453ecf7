"""Runs MLB, MFB, MUTAN and the full Tucker fusion of block.bootstrap.pytorch 0.1.6.

MIT license; the authors' code of MUTAN and BLOCK, with MLB and MFB as they compare
them. It needs bootstrap.pytorch, too.
"""

import torch
from block.models.networks.fusions import fusions

from tests.recorded.recording import weights_of, write

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
WIDTHS, UNITS = (5, 6), 3
MODULES = {
    "mlb": fusions.MLB(WIDTHS, UNITS, 4, activ_input="tanh", activ_output=None),
    "mfb": fusions.MFB(
        WIDTHS, UNITS, 4, 3, activ_input=None, activ_output=None, normalize=True
    ),
    "mfb_relu": fusions.MFB(WIDTHS, UNITS, 4, 2, activ_output=None),
    "mutan": fusions.Mutan(WIDTHS, UNITS, 4, rank=3),
    "mutan_normalized": fusions.Mutan(WIDTHS, UNITS, 4, rank=2, normalize=True),
    "tucker": fusions.Tucker(WIDTHS, UNITS, 4),
}

inputs = [torch.randn(4, width) for width in WIDTHS]
arrays = {f"inputs/{m}": x.numpy() for m, x in enumerate(inputs)}
for name, module in MODULES.items():
    arrays |= weights_of(module, name)
    arrays[f"{name}/output"] = module(inputs).detach().numpy()
write("block", "block.bootstrap.pytorch", "MIT", arrays)
