"""Runs the contrastive loss of open_clip_torch 3.3.0, of all rows and of some.

MIT license; the open reproduction of CLIP. Only its file of losses runs, since the
package imports torchvision.
"""

import torch

from tests.recorded.recording import alone, write

losses = alone("open_clip.loss")
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
SCALE = 14.0

first, second = (
    torch.nn.functional.normalize(torch.randn(6, 5), dim=-1).requires_grad_()
    for _ in range(2)
)
there = torch.tensor([1, 1, 0, 1, 0, 1]).bool()
arrays = {"scale": SCALE, "there": there.numpy()}
arrays |= {"first": first.detach().numpy(), "second": second.detach().numpy()}
for name, rows in {"all": there | True, "some": there}.items():
    loss = losses.ClipLoss()(first[rows], second[rows], SCALE)
    slopes = torch.autograd.grad(loss, [first, second])
    arrays |= {f"{name}/loss": loss.detach().numpy()}
    arrays |= {f"{name}/gradient": torch.stack(slopes).numpy()}
write("open_clip_torch", "open_clip_torch", "MIT", arrays)
