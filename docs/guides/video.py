# %% [markdown]
# # Video: frames and a skeleton
#
# One action is seen as depth frames and as the joints of a skeleton.
# `TwoStreamVideoClassifier` has a small network for each stream, pools it to a vector,
# and an operator fuses the vectors. Here a made-up dot moves left or right.

# %%
import keras
import numpy as np

from keras_fusion.layers import JointHeatmaps
from keras_fusion.zoo import TwoStreamVideoClassifier, modality_weights

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
n, frames, side = 60, 6, 16
labels = np.arange(n) % 2
ways = np.where(labels == 0, -1, 1)[:, None] * np.linspace(-5, 5, frames)  # (n, T)
at = 8 + ways + rng.normal(0, 0.5, ways.shape)

depth = rng.normal(0, 0.3, (n, frames, side, side, 1)).astype("float32")
columns = np.arange(side)
depth[..., 0] += np.exp(-((columns - at[..., None]) ** 2) / 4)[:, :, None, :]

joints = rng.normal(0, 1, (n, frames, 3, 2)).astype("float32")  # x and y of 3 joints
joints[..., 0] += at[..., None]

# %% [markdown]
# ## Joints become a volume inside the model
#
# A skeleton is stored as joints `(B, T, J, 2)`. `JointHeatmaps` draws each joint as a
# Gaussian in a channel of its own, as the model needs it, so that both streams are
# videos.

# %%
volume = JointHeatmaps(size=(side, side))(joints[:2])
print(joints[:2].shape, "->", tuple(volume.shape))

# %% [markdown]
# ## Training
#
# `pooling="frames"` puts the frames side by side before the head, so that it counts
# when something happens; `"average"` takes the mean over time. With few clips weights
# that are learned once (`ScalarWeighting`) are safer than weights for each sample.

# %%
model = TwoStreamVideoClassifier(
    {"depth": depth.shape[1:], "skeleton": joints.shape[1:]},
    classes=2,
    fusion={"class_name": "ScalarWeighting", "config": {"constraint": "convex"}},
    heatmaps={"skeleton": {"size": (side, side)}},
    pooling="frames",
    encoder_depth=2,
    units=16,
)
model.compile(
    keras.optimizers.Adam(5e-3),
    "sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
clips = {"depth": depth, "skeleton": joints}
train = {name: x[:40] for name, x in clips.items()}
test = {name: x[40:] for name, x in clips.items()}
model.fit(train, labels[:40], batch_size=8, epochs=8, verbose=0)
print(model.evaluate(test, labels[40:], verbose=0, return_dict=True))
print("depth, skeleton:", modality_weights(model, test)[0].round(2))

# %% [markdown]
# ## What else there is
#
# - `lateral=True` lets each stream receive the other after every stage but the last;
# - `augmentation={"depth": [{"class_name": "VideoJitter"}]}` varies clips in training;
# - `encoders={"depth": my_model}` takes a network of yours, such as a pretrained one;
# - `LateFusionClassifier(..., builder="TwoStreamVideoClassifier")` is the baseline: the
#   mean of the streams' own predictions.
#
# On recorded actions the fusions are compared in [two
# streams](../../zoo/utd_mhad_two_streams/README.md).
