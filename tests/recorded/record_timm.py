"""Runs the attention to channels and the non-local block of timm 1.0.31.

Apache 2.0 license. Only these layers run, since the package imports torchvision.
"""

import sys
import unittest.mock

import torch

from tests.recorded.recording import alone, weights_of, write

for name in ("torchvision", "torchvision.ops", "torchvision.ops.misc"):
    sys.modules[name] = unittest.mock.MagicMock()  # for layers that do not run here
layers = {
    name: alone(f"timm.layers.{name}")
    for name in ("squeeze_excite", "eca", "non_local_attn")
}
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
WIDTHS = (16, 64, 100, 256, 512)

maps = torch.randn(2, 8, 3, 2)
modules = {
    "excitation": layers["squeeze_excite"].SEModule(8, rd_channels=4),
    "efficient": layers["eca"].EcaModule(8),
    "non_local": layers["non_local_attn"].NonLocalAttn(8, False, rd_channels=4),
}
arrays = {"maps": maps.permute(0, 2, 3, 1).numpy(), "widths": WIDTHS}
for name, module in modules.items():
    module.eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(0.5 * torch.randn_like(weight))
        if name == "non_local":  # of the published formula, which has no biases
            for convolution in (module.t, module.p, module.g, module.z):
                convolution.bias.zero_()
            module.norm = torch.nn.Identity()
        output = module(maps).permute(0, 2, 3, 1)
    arrays |= weights_of(module, name) | {f"{name}/output": output.numpy()}
sizes = [layers["eca"].EcaModule(width).conv.kernel_size[0] for width in WIDTHS]
write("timm", "timm", "Apache-2.0", arrays | {"kernel_sizes": sizes})
