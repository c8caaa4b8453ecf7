# %% [markdown]
# # RGB and depth
#
# A color image and a depth map show the same place at the same pixel, so their
# positions are fused, not two pooled vectors. This guide gives a class to every pixel:
# it finds a ball that color alone does not show. The images are made up.

# %%
import keras
import numpy as np

from keras_fusion.datasets import normalize_depth
from keras_fusion.zoo import MutualFormerClassifier, MutualFormerSegmenter

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
side, n = 32, 48
y, x = np.mgrid[:side, :side]
centers = rng.integers(8, 24, (n, 2, 1, 1))
ball = (y - centers[:, 0]) ** 2 + (x - centers[:, 1]) ** 2 < 36  # (n, side, side)

rgb = rng.random((n, side, side, 3)).astype("float32")  # says nothing
millimeters = 2000 - 500 * ball + rng.normal(0, 30, ball.shape)
millimeters[rng.random(ball.shape) < 0.1] = 0  # the sensor read nothing

# %% [markdown]
# ## Depth of any unit
#
# `normalize_depth` makes every map relative to its own median, in units of its
# interquartile range, and a pixel without a reading NaN. The model takes the value and
# a channel that says where there is one.

# %%
normal = normalize_depth(millimeters)  # (n, side, side, 1)
read = np.isfinite(normal)
depth = np.concatenate([np.nan_to_num(normal), read], axis=-1).astype("float32")
print(depth.shape, f"{read.mean():.0%} of the pixels have a reading")

# %% [markdown]
# ## A class for every pixel
#
# Each modality has an encoder of its own. `MutualFormerBlock` fuses the coarse scales:
# each modality attends by what both find alike. With one class the output is the logit
# of the foreground.

# %%
model = MutualFormerSegmenter(
    {"rgb": (side, side, 3), "depth": (side, side, 2)},
    classes=1,
    units=16,
    modality_mask=True,
    modality_dropout=0.2,
)
model.compile(
    keras.optimizers.Adam(1e-2), keras.losses.BinaryCrossentropy(from_logits=True)
)
inputs = {"rgb": rgb, "depth": depth, "modality_mask": np.ones((n, 2), bool)}
train = {name: array[:40] for name, array in inputs.items()}
test = {name: array[40:] for name, array in inputs.items()}
model.fit(train, ball[:40, ..., None], batch_size=8, epochs=6, verbose=0)


def overlap(logits):
    """Intersection over union of what was found and the balls of the test images."""
    found = logits[..., 0] > 0
    return (found & ball[40:]).sum() / (found | ball[40:]).sum()


print(f"both: {overlap(model.predict(test, verbose=0)):.2f}")

# %% [markdown]
# Without depth the model is left with colors, which say nothing here. That it says so,
# and does not break, is what `modality_mask` is for.

# %%
test["modality_mask"] = np.array([[True, False]] * 8)
print(f"color alone: {overlap(model.predict(test, verbose=0)):.2f}")

# %% [markdown]
# ## A class for the whole image
#
# `MutualFormerClassifier` makes patches of either image and fuses them as tokens. Both
# have as many, since the blocks compare them place by place.

# %%
classifier = MutualFormerClassifier(
    {"rgb": (side, side, 3), "depth": (side, side, 2)},
    classes=4,
    patch_size=8,
    units=16,
)
print(classifier.predict({"rgb": rgb[:2], "depth": depth[:2]}, verbose=0).shape)

# %% [markdown]
# Your own images lie in the folders `rgb/`, `depth/` and `mask/` and are matched by
# name: `keras-fusion train tools_rgbd --dataset folder:PATH`. On a real
# set of tools the fusions are compared on [a page of their
# own](../../zoo/tools_rgbd/README.md).
