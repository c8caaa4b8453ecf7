# %% [markdown]
# # Export, raw columns and serving
#
# An export is a TensorFlow SavedModel that holds everything between a raw row and its
# answer: what was learned about the columns, the network, the names of the classes.
# This guide trains a small table, exports it, and asks it by the API of TensorFlow
# Serving. It needs the extras `tensorflow` and `serving`, on whatever backend you
# train.

# %%
import csv

import numpy as np

from keras_fusion import export
from keras_fusion.cli.main import main as keras_fusion
from keras_fusion.serving import Client
from keras_fusion.serving.server.server import Server

rng = np.random.default_rng(0)
species = rng.choice(["oak", "ash"], 120)
with open("leaves.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["length", "edge", "species"])
    for name in species:
        length = rng.normal(12 if name == "oak" else 8, 1)
        edge = rng.choice(["lobed", "smooth"], p=[0.8, 0.2] if name == "oak" else None)
        writer.writerow([f"{length:.1f}", edge, name])

# %% [markdown]
# ## Train and export
#
# In a shell: `keras-fusion train leaves.toml` and `keras-fusion export leaves.toml`.
# The export is loaded again in a fresh process and must give the model's own numbers;
# else it is refused. It appears whole or not at all, as `saved_models/leaves/1`.

# %%
recipe = """
builder = "FusionClassifier"
dataset = "table:leaves.csv"
label = "species"

[modalities.size]
columns = ["length"]
[modalities.look]
columns = ["edge"]

[arguments]
fusion = "GatedMultimodalUnit"
units = 8
modality_mask = true

[training]
epochs = 20
seeds = [0]
"""
with open("leaves.toml", "w") as file:
    file.write(recipe)
keras_fusion(["train", "leaves.toml", "--quiet"])
keras_fusion(["export", "leaves.toml"])

# %% [markdown]
# The same for any Keras model in Python is `export.export(zoo.deployable(model,
# data.statistics), "saved_models/mine")`, where `zoo.deployable` puts the scaling of
# the data before the model. `formats=["onnx"]` writes an ONNX file beside it.
#
# ## Ask it without a server
#
# `serving_raw` takes the columns as they stand in the table: numbers, with NaN where
# one is missing, and texts, empty where one is missing. `modality_mask` in the answer
# says what could be read.

# %%
ask = export.signature("saved_models/leaves", "serving_raw")
leaves = {"length": np.array([12.3, np.nan]), "edge": np.array(["lobed", "smooth"])}
for name, values in ask(leaves).items():
    print(name, np.round(values, 2) if values.dtype.kind == "f" else values)

# %% [markdown]
# ## Serve it
#
# `keras-fusion serve saved_models` answers on port 8501 (REST) and 8500 (gRPC), for
# this machine only. The client is the same for it and for TensorFlow Serving itself.

# %%
with Server("saved_models", rest_port=0, grpc_port=0) as server:
    client = Client(f"http://localhost:{server.rest_port}")
    rows = [{"length": 12.3, "edge": "lobed"}, {"length": 8.0, "edge": "smooth"}]
    answer = client.predict("leaves", rows, signature="serving_raw")
    print(answer["classes"], answer["probabilities"].round(2))

# %% [markdown]
# `keras-fusion verify saved_models/leaves` finds any bit that changed since. What lies
# in a version is listed in [saved models](../../saved_models/README.md); from there
# [deploy](../../deploy/README.md) goes on to TensorFlow Serving on Compose, Kubernetes
# and KServe.
