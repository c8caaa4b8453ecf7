# %% [markdown]
# # Fusion layers inside a plain PyTorch model
#
# On the torch backend every layer of the library is a `torch.nn.Module`. It takes and
# gives torch tensors, its weights are parameters, and your own training loop trains it.

# %%
import os

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

import torch  # noqa: E402

from keras_fusion.layers import ModalityAttention  # noqa: E402


class Classifier(torch.nn.Module):
    """Text and audio to ten classes."""

    def __init__(self):
        super().__init__()
        self.fuse = ModalityAttention(units=32, num_heads=4, name="fuse")
        self.head = torch.nn.Linear(32, 10)

    def forward(self, text, audio, present=None):
        return self.head(self.fuse([text, audio], modality_mask=present))


# %% [markdown]
# A Keras layer makes its weights at its first call, so call the model once before the
# optimizer asks for its parameters.

# %%
torch.manual_seed(0)
model = Classifier()
model(torch.randn(2, 100), torch.randn(2, 73))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
print(sum(p.numel() for p in model.parameters()), "parameters")

# %% [markdown]
# ## A loop of your own
#
# `present` `(B, M)` is True where a modality is there. The audio of every third sample
# is missing, and holds NaN; no gradient becomes NaN of it.

# %%
labels = torch.arange(60) % 10
text = torch.randn(60, 100) + torch.nn.functional.one_hot(labels, 100)
audio = torch.randn(60, 73) + torch.nn.functional.one_hot(labels, 73)
present = torch.ones(60, 2, dtype=torch.bool)
present[::3, 1] = False
audio[::3] = torch.nan

model.train()
for step in range(40):
    loss = torch.nn.functional.cross_entropy(model(text, audio, present), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 13 == 0:
        print(f"step {step}: {loss.item():.3f}")

# %% [markdown]
# `model.eval()` turns the dropout of the layers off, as it does for torch's own.
#
# ## Saving
#
# `state_dict` has the weights of the layers among the others. Their keys hold the
# names of the layers: give each a name, since Keras would count them otherwise.

# %%
model.eval()
torch.save(model.state_dict(), "model.pt")

again = Classifier()
again(text[:1], audio[:1], present[:1])  # makes the weights
again.load_state_dict(torch.load("model.pt"))
again.eval()
with torch.no_grad():
    same = torch.equal(model(text, audio, present), again(text, audio, present))
print("the same answers:", same)
