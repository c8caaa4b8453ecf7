# %% [markdown]
# # From MultiBench or Ludwig to here
#
# Both combine several inputs, and you may know one of them. This page says what each of
# their parts is called here, and runs a model of either kind.

# %%
import csv

import keras
import numpy as np
from keras.layers import Dense

from keras_fusion import layers, zoo
from keras_fusion.cli.main import main as keras_fusion

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# ## MultiBench
#
# A model of MultiBench is `MMDL(encoders, fusion, head)`, and its batches are lists of
# tensors with the labels last. Here a builder puts the three together, the fusion has a
# name, and the batches are dicts by modality.

# %%
OURS = {
    "Concat": "Concatenation",
    "NLgate": "GatedMultimodalUnit",
    "MULTModel": "CrossAttention",
}
for theirs, ours in OURS.items():
    print(f"{theirs} -> {ours}: {getattr(layers, ours).__doc__.splitlines()[0]}")

# %% [markdown]
# `MMDL([MLP(12, 32, 16), MLP(20, 32, 16)], Concat(), MLP(32, 32, 3))` is:


# %%
def mlp(width):
    return keras.Sequential([keras.Input((width,)), Dense(32, "relu"), Dense(16)])


labels = np.arange(90) % 3
audio = (rng.normal(size=(90, 12)) + np.eye(3, 12)[labels]).astype("float32")
video = (rng.normal(size=(90, 20)) + np.eye(3, 20)[labels]).astype("float32")
inputs = {"audio": audio, "video": video}

model = zoo.FusionClassifier(
    {"audio": (12,), "video": (20,)},
    classes=3,
    encoders={"audio": mlp(12), "video": mlp(20)},
    fusion=OURS["Concat"],
    units=32,
    modality_mask=True,
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
all_there = {"modality_mask": np.ones((90, 2), bool)}
model.fit(inputs | all_there, labels, epochs=30, verbose=0)

# %% [markdown]
# MultiBench's `train` is `compile` and `fit`. In place of its gradient blend there are
# [methods of balanced training](balanced_training.md). `modality_mask` takes a modality
# away, where its robustness tests add noise.

# %%
for there in ([True, True], [True, False], [False, True]):
    mask = {"modality_mask": np.array([there] * 90)}
    accuracy = model.evaluate(inputs | mask, labels, verbose=0, return_dict=True)
    print(f"audio, video {there}: {accuracy['accuracy']:.2f}")

# %% [markdown]
# ## Ludwig
#
# A configuration of Ludwig lists features and a combiner:
#
# ```yaml
# input_features: [{name: age, type: number}, {name: complaint, type: text}]
# output_features: [{name: illness, type: category}]
# combiner: {type: concat}
# trainer: {epochs: 10}
# ```
#
# A recipe says the same. Columns need no type, since it is found; `keras-fusion init`
# writes a recipe with all that was found, and there you change what is wrong.

# %%
WORDS = {"cold": "runny nose sneezing cough", "flu": "high fever aching tired"}
with open("patients.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["age", "complaint", "illness"])
    for i in range(120):
        illness = ("cold", "flu")[i % 2]
        words = rng.choice([*WORDS[illness].split(), "since", "today"], 4)
        writer.writerow([rng.integers(5, 90), " ".join(words), illness])
with open("illness.toml", "w") as file:
    file.write("""
dataset = "table:patients.csv"
label = "illness"

[arguments]
fusion = "Concatenation"

[training]
epochs = 10
""")
keras_fusion(["train", "illness.toml", "--seeds", "0", "--quiet"])

# %% [markdown]
# What else is called another way:
#
# - `number`, `category`, `date`, `text`, `image` and `audio` are [kinds of
#   columns](../tables.md) of the same name; `binary` is `boolean`; `vector` and
#   `timeseries` are `array`, the path of an `.npy` file.
# - The combiner `transformer` is the operator `ModalityTransformer`.
# - A missing value is imputed and flagged; where all of a modality is missing, it is
#   absent.
# - There is one output; `ludwig hyperopt` is `keras-fusion tune`.
