# %% [markdown]
# # Training that keeps modalities alive
#
# A modality that is easy to learn may lower the loss so fast that the encoders of the
# others stop learning. The fused model is then no better than that modality, and poor
# where it is absent. Three remedies are built in; each is one argument or one line.

# %%
import keras
import numpy as np

from keras_fusion import datasets, zoo
from keras_fusion.balancing import GradientModulation, balanced

data = datasets.load("mfeat", labels_per_class=10).only("kar", "zer", "mor")
names = list(data.input_shapes)


def model_with(**arguments):
    """The same model with one remedy or another."""
    keras.utils.set_random_seed(0)
    return zoo.FusionClassifier(
        data.input_shapes,
        data.classes,
        fusion="GatedMultimodalUnit",
        units=32,
        modality_mask=True,
        **arguments,
    )


def train(model):
    """Fits it to the training rows, in which everything is present."""
    model.compile(
        keras.optimizers.AdamW(2e-3),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    inputs = {**data.train.inputs, "modality_mask": data.train.modality_mask}
    model.fit(inputs, data.train.labels, epochs=15, verbose=0)


def accuracies(model):
    """Validation accuracy with all modalities, and with each of them alone."""
    found = []
    for kept in [names, *([name] for name in names)]:
        mask = np.tile([name in kept for name in names], (len(rows.labels), 1))
        answers = model.predict({**rows.inputs, "modality_mask": mask}, 512, verbose=0)
        found.append((answers.argmax(axis=-1) == rows.labels).mean())
    return np.round(found, 2)


rows = data.validation
print("all, then alone:", names)

# %% [markdown]
# ## No remedy

# %%
plain = model_with()
train(plain)
print("plain", accuracies(plain))

# %% [markdown]
# ## Modality dropout
#
# Training drops modalities sample by sample, so each encoder must do without the
# others.

# %%
dropped = model_with(modality_dropout=0.5)
train(dropped)
print("modality dropout", accuracies(dropped))

# %% [markdown]
# ## A head for each modality
#
# `heads="train"` adds the loss of a prediction from each modality alone, in training
# only. `heads="average"` also predicts with the mean of them and the fusion, over what
# is present.

# %%
headed = model_with(heads="average")
train(headed)
print("heads", accuracies(headed))

# %% [markdown]
# ## Balancing
#
# `balanced` puts a gate behind every encoder, and a policy moves the gates under plain
# `fit`. `GradientModulation` slows the encoder whose head is ahead. It trains the very
# layers of the model that it was given, which is saved and exported without it.
# Adam evens out how large gradients are, so a policy that scales them does more under
# plain gradient descent.

# %%
model = model_with(heads="average")
train(balanced(model, GradientModulation(alpha=0.5)))
print("balanced", accuracies(model))

# %% [markdown]
# There are other policies in [`keras_fusion.balancing`](../reference/balancing.md).
# Which remedy pays depends on the data: choose by validation, over several seeds.
