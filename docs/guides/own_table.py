# %% [markdown]
# # Your own table
#
# A table has numbers, categories, dates and sentences, and it has gaps. This guide
# reads such a table, trains a model of it, and asks the model about new rows. The table
# is made up, so that you can run it as it stands; put your own file in its place.

# %%
import csv

import numpy as np

from keras_fusion import datasets, zoo
from keras_fusion.cli.main import main as keras_fusion

rng = np.random.default_rng(0)
WORDS = {"cold": "runny nose sore throat sneezing", "flu": "high fever aching tired"}


def patient(illness):
    """One row: a fever and some words that depend on the illness, and gaps."""
    words = [*WORDS[illness].split(), "since", "yesterday", "morning", "badly", "again"]
    return {
        "age": int(rng.integers(5, 90)),
        "sex": str(rng.choice(["f", "m"])),
        "fever": "" if rng.random() < 0.2 else round(rng.normal(37, 0.4), 1),
        "seen": f"2024-{rng.integers(1, 13):02}-{rng.integers(1, 29):02}",
        "complaint": " ".join(rng.choice(words, 5)) if rng.random() < 0.8 else "",
        "illness": illness,
    }


rows = [patient(illness) for illness in rng.choice(["cold", "flu"], 400)]
with open("patients.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)

# %% [markdown]
# ## What was understood
#
# `datasets.table` infers the kind of every column from the rows that train. Numbers,
# categories and dates make one modality, `table`; a column of texts, pictures or sounds
# is a modality of its own. Look at what it understood before you train.

# %%
data = datasets.table("patients.csv", label="illness")
for column, modality, kind, details in data.preprocessor.describe():
    print(f"{column:10} {modality:10} {kind:10} {details}")
print(data.input_shapes, data.class_names)

# %% [markdown]
# ## Training in Python
#
# The preprocessor names an encoder for each modality. A modality is absent in a row
# where all of its columns are empty, and `modality_mask` says so to the model.

# %%
model = zoo.FusionClassifier(
    data.input_shapes,
    data.classes,
    fusion="GatedMultimodalUnit",
    units=16,
    encoders=data.preprocessor.encoders(units=16),
    modality_mask=True,
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])


def arrays(split):
    """The inputs of a part of the data, with the mask of what is there."""
    return {**split.inputs, "modality_mask": split.modality_mask}


model.fit(arrays(data.train), data.train.labels, epochs=10, verbose=0)
print(model.evaluate(arrays(data.test), data.test.labels, verbose=0, return_dict=True))

# %% [markdown]
# New rows need no label. A column that is not there counts as empty.

# %%
inputs, mask = data.preprocessor.encode(
    {"complaint": ["high fever again tired", ""], "age": [31, None]}
)
print(model.predict({**inputs, "modality_mask": mask}, verbose=0).round(2))

# %% [markdown]
# ## The same by command
#
# `keras-fusion init` writes a recipe with all that it found in the file, ready to be
# read and changed: the kind of each column, the label, the builder, the training.

# %%
keras_fusion(["init", "patients.csv", "--label", "illness", "--output", "illness.toml"])
with open("illness.toml") as file:
    print(file.read())

# %% [markdown]
# `train` trains it, and saves a model that takes the columns of your table; here ten
# epochs have to do. In a shell the lines are `keras-fusion train illness.toml --seeds
# 0` and `keras-fusion predict MODEL patients.csv`.

# %%
short = ["--seeds", "0", "--epochs", "10", "--quiet"]
keras_fusion(["train", "illness.toml", *short])
trained = "runs/illness/model/seed-0/model.keras"
keras_fusion(["predict", trained, "patients.csv", "--rows", "4"])

# %% [markdown]
# `keras-fusion evaluate illness.toml` trains the baselines with the same budget and
# reports all of them; `keras-fusion export illness.toml` writes a SavedModel that takes
# raw columns ([export and serving](export_and_serving.md)). `keras-fusion show
# illness.toml` opens a page on which you pick a row, switch modalities off, and see the
# answer move.
