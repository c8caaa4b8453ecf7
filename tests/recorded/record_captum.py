"""Runs the integrated gradients of captum 0.9.0, of one input of a small network.

BSD 3-clause license.
"""

import torch
from captum.attr import IntegratedGradients

from tests.recorded.recording import weights_of, write

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)


class Network(torch.nn.Module):
    """Probabilities of three classes, of two vectors."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 6), torch.nn.Linear(5, 6)
        self.head = torch.nn.Linear(6, 3)

    def forward(self, a, b):
        return self.head(torch.tanh(self.first(a) * self.second(b))).softmax(dim=-1)


network = Network()
a, b = torch.randn(6, 4), torch.randn(6, 5)
target = torch.arange(6) % 3
arrays = {"a": a.numpy(), "b": b.numpy(), "target": target.numpy()}
for name, baseline in {"zeros": 0.0, "others": 0.5}.items():
    found = IntegratedGradients(network).attribute(
        a, baseline, target, additional_forward_args=b, n_steps=200
    )
    arrays |= {f"{name}/baseline": baseline, f"{name}/values": found.detach().numpy()}
write("captum", "captum", "BSD-3-Clause", arrays | weights_of(network, "weights"))
