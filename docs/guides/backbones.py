# %% [markdown]
# # A pretrained network for one modality
#
# A network that others trained may encode a modality. You name it, and it brings what
# it does to its input: you give it pictures with colors from 0 to 255. This guide makes
# pictures up and takes random weights, so that it runs offline; leave out
# `weights = "none"` to get those of ImageNet.

# %%
import csv
from pathlib import Path

import numpy as np
from PIL import Image

from keras_fusion import zoo
from keras_fusion.cli.main import main as keras_fusion

rng = np.random.default_rng(0)
Path("scans").mkdir(exist_ok=True)
rows = []
for row in range(60):
    ill = row % 2
    pixels = rng.integers(0, 120, (32, 32, 3)) + 100 * ill
    Image.fromarray(pixels.astype("uint8")).save(f"scans/{row}.png")
    scan = "" if row % 7 == 0 else f"scans/{row}.png"
    age = round(rng.normal(40 + 20 * ill, 15))
    rows.append({"age": age, "scan": scan, "ill": ["no", "yes"][ill]})
with open("patients.csv", "w", newline="") as file:
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)

# %% [markdown]
# ## In a recipe
#
# `encoders.scan` is the name of a network, or a table with the name as its `backbone`:
#
# | name | what it is |
# |---|---|
# | `"keras_applications:EfficientNetV2B0"` | a network of `keras.applications` |
# | `"keras_hub:resnet_18_imagenet"` | a preset of KerasHub (extra `text`) |
# | `"my_network.keras"` | a file under the folder of the recipe, or where data lie |
#
# `weights` are `"pretrained"`, `"none"` or a `.weights.h5` file. `trainable` is `false`
# (the default), `true`, or `"after:N epochs"`; then the network is frozen for N epochs,
# while the rest of the model learns. `learning_rate` is the network's own.
# A row without a scan moves nothing in the network, its batch statistics included.

# %%
recipe = """
dataset = "table:patients.csv"
label = "ill"

[arguments]
units = 16
encoders.scan = { backbone = "keras_applications:MobileNetV3Small", weights = "none", \
trainable = "after:1 epochs", learning_rate = 1e-4 }

[training]
epochs = 2
seeds = [0]
"""
Path("scans.toml").write_text(recipe)
keras_fusion(["train", "scans.toml", "--quiet"])
trained = "runs/scans/model/seed-0/model.keras"
keras_fusion(["predict", trained, "patients.csv", "--rows", "4"])

# %% [markdown]
# The saved model and its export take the same pictures; nobody has to prepare them.
#
# ## In Python
#
# `zoo.backbone` gives the network alone. Any `keras.Model` may stand in its place.

# %%
network = zoo.backbone(
    "keras_applications:MobileNetV3Small", (32, 32, 3), weights="none"
)
model = zoo.FusionClassifier(
    {"table": (2,), "scan": (32, 32, 3)}, 2, encoders={"scan": network}
)
print(network.trainable, model.count_params())
