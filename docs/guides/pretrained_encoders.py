# %% [markdown]
# # Images and text with pretrained encoders
#
# The encoder of a modality may be any `keras.Model`: one of `keras.applications`, one
# of [KerasHub](kerashub.md), or one of your own. A builder puts it in front of the
# fusion and keeps its weights. Two small encoders stand in for large ones here, so that
# this guide needs no network: each is trained on a task of its own and saved.

# %%
import keras
import numpy as np
from keras import layers

from keras_fusion import zoo

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
GOOD, BAD, OTHER = [1, 2, 3], [4, 5, 6], range(7, 30)  # ids of words; 0 is padding


def pictures(shapes):
    """A bright square (0) or cross (1) somewhere in noise, `(B, 16, 16, 1)`."""
    x = rng.normal(0, 0.3, (len(shapes), 16, 16, 1))
    for picture, shape, (i, j) in zip(x, shapes, rng.integers(0, 9, (len(x), 2))):
        patch = picture[i : i + 7, j : j + 7, 0]
        patch[3 if shape else slice(None)] += 1
        patch[:, 3 if shape else slice(None)] += 1
    return x.astype("float32")


def captions(moods):
    """Eight words of which one tells the mood, `(B, 8)` ids."""
    ids = rng.choice(OTHER, (len(moods), 8))
    telling = [rng.choice(GOOD if mood else BAD) for mood in moods]
    ids[np.arange(len(moods)), rng.integers(0, 8, len(moods))] = telling
    return ids.astype("int32")


def pretrained(name, encoder, x, labels):
    """Trains an encoder by a head that is thrown away, and saves it."""
    head = keras.Sequential([encoder, layers.Dense(1, "sigmoid")])
    head.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
    head.fit(x, labels, batch_size=50, epochs=8, verbose=0)
    encoder.save(f"{name}.keras")


known = rng.integers(0, 2, 1000)
image = [layers.Conv2D(16, 5, activation="relu"), layers.GlobalMaxPooling2D()]
text = [layers.Embedding(30, 16), layers.GlobalAveragePooling1D()]
image = keras.Sequential([keras.Input((16, 16, 1)), *image], name="image_encoder")
text = keras.Sequential([keras.Input((8,), dtype="int32"), *text], name="text_encoder")
pretrained("image", image, pictures(known), known)
pretrained("text", text, captions(known), known)

# %% [markdown]
# ## Few labels of the task itself
#
# A posting is one of four classes: what the picture shows, and the mood of the caption.
# Neither modality tells the class alone. Eighty postings are labeled.

# %%
labels = rng.integers(0, 4, 480)
inputs = {"picture": pictures(labels % 2), "caption": captions(labels // 2)}
shapes = {name: x.shape[1:] for name, x in inputs.items()}


def encoders():
    """The saved encoders, frozen: training does not change them."""
    loaded = {"picture": "image.keras", "caption": "text.keras"}
    loaded = {name: keras.saving.load_model(path) for name, path in loaded.items()}
    for encoder in loaded.values():
        encoder.trainable = False
    return loaded


def score(encoders):
    """Test accuracy of a model with these encoders, trained on the labeled postings."""
    own = {name: shapes[name] for name in encoders}
    builder = zoo.FusionClassifier if len(own) > 1 else zoo.UnimodalClassifier
    model = builder(own, 4, encoders=encoders, units=32, dropout=0.2)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
    x = {name: inputs[name] for name in own}
    model.fit({m: x[m][:80] for m in own}, labels[:80], epochs=40, verbose=0)
    found = model.predict(x, verbose=0).argmax(axis=-1)
    return (found == labels)[80:].mean()


print(f"both: {score(encoders()):.2f}")
for name, encoder in encoders().items():
    print(f"{name} alone: {score({name: encoder}):.2f}")
fresh = {name: keras.models.clone_model(x) for name, x in encoders().items()}
print(f"both, random and frozen: {score(fresh):.2f}")
for encoder in fresh.values():
    encoder.trainable = True
print(f"both, random and trained: {score(fresh):.2f}")

# %% [markdown]
# Encoders that are thawed (`layer.trainable = True`) learn the task, too; a tenth of
# the learning rate or less keeps what they know. As long as an encoder is frozen, its
# `BatchNormalization` uses the averages that it stored.
#
# ## A large one
#
# `weights="imagenet"` fetches the trained weights of one of `keras.applications`;
# `None` leaves it untrained. This one takes pixels of 0 to 255. An operator on tokens
# takes the map of features itself: leave `pooling` out for it.

# %%
network = keras.applications.MobileNetV3Small(
    (64, 64, 3), include_top=False, weights=None, pooling="avg"
)
network.trainable = False
large = zoo.FusionClassifier(
    {"photo": (64, 64, 3), "caption": (8,)},
    classes=4,
    encoders={"photo": network, "caption": encoders()["caption"]},
)
trained = sum(np.prod(w.shape) for w in large.trainable_weights)
print(f"{trained:,} of {large.count_params():,} weights are trained")
