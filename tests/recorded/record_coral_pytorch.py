"""Runs the heads and losses of coral-pytorch 1.4.0: CORN and CORAL.

MIT license; the authors' own code of both.
"""

import torch
from coral_pytorch.dataset import corn_label_from_logits, levels_from_labelbatch
from coral_pytorch.layers import CoralLayer
from coral_pytorch.losses import coral_loss, corn_loss

from tests.recorded.recording import weights_of, write

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
CLASSES = 4

x = torch.randn(12, 5, requires_grad=True)
labels = torch.arange(12) % CLASSES
arrays = {"x": x.detach().numpy(), "labels": labels.numpy()}


def record(name, head, loss, logits, **others):
    (slopes,) = torch.autograd.grad(loss, x)
    found = {"loss": loss, "gradient": slopes, "logits": logits, **others}
    for what, value in found.items():
        arrays[f"{name}/{what}"] = value.detach().numpy()
    arrays.update(weights_of(head, name))


head = torch.nn.Linear(5, CLASSES - 1)
logits = head(x)
medians = corn_label_from_logits(logits)
record("corn", head, corn_loss(logits, labels, CLASSES), logits, labels=medians)

head = CoralLayer(5, CLASSES)
logits = head(x)
levels = levels_from_labelbatch(labels, CLASSES, dtype=x.dtype)
record("coral", head, coral_loss(logits, levels), logits)

write("coral_pytorch", "coral-pytorch", "MIT", arrays)
