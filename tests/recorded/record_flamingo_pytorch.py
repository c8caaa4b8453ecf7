"""Runs the gated cross-attention of flamingo-pytorch 0.1.2, also of the last picture.

MIT license; not by the authors of Flamingo, whose code is not released. It needs
einops-exts, too. The pictures come from a layer normalization, as they do from the
perceiver resampler that stands before the block.
"""

import torch
from flamingo_pytorch import GatedCrossAttentionBlock

from tests.recorded.recording import weights_of, write

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
WIDTH = 8

norm = torch.nn.LayerNorm(WIDTH)
block = GatedCrossAttentionBlock(dim=WIDTH, dim_head=4, heads=2)
with torch.no_grad():
    for weight in (*norm.parameters(), *block.parameters()):
        weight.add_(0.3 * torch.randn_like(weight))  # no gate is shut
text, pictures = torch.randn(3, 5, WIDTH), torch.randn(3, 2, 3, WIDTH)
begins = torch.tensor([[1, 0, 0, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]]).bool()
with torch.no_grad():
    every = block(text, norm(pictures))
    last = block(text, norm(pictures), media_locations=begins)
arrays = {
    "text": text.numpy(),
    "pictures": pictures.numpy(),
    "begins": begins.numpy(),
    "every": every.numpy(),
    "last": last.numpy(),
}
arrays |= weights_of(torch.nn.ModuleDict({"block": block, "norm": norm}), "weights")
write("flamingo_pytorch", "flamingo-pytorch", "MIT", arrays)
