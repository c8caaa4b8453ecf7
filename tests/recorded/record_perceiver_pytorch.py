"""Runs the cross-attention of latents of perceiver-pytorch 0.11.0, with a mask.

MIT license; not by the authors of Perceiver. What it has around the attention
(normalizations, the sum with the latents, an MLP) does not run here.
"""

import torch
from perceiver_pytorch.perceiver_pytorch import Attention

from tests.recorded.recording import weights_of, write

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)

latents, tokens = torch.randn(3, 8), torch.randn(2, 7, 8)
mask = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 1, 1, 0]]).bool()
attention = Attention(query_dim=8, context_dim=8, heads=2, dim_head=4)
with torch.no_grad():
    output = attention(latents.expand(2, 3, 8), tokens, mask=mask)
arrays = {
    "latents": latents.numpy(),
    "tokens": tokens.numpy(),
    "mask": mask.numpy(),
    "output": output.numpy(),
}
arrays |= weights_of(attention, "weights")
write("perceiver_pytorch", "perceiver-pytorch", "MIT", arrays)
