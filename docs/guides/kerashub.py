# %% [markdown]
# # KerasHub models as encoders, and fusion inside one
#
# A backbone of [KerasHub](https://keras.io/keras_hub/) is a `keras.Model` and takes its
# inputs by name. It is an encoder as it is; and a layer of this library is a layer of
# any model that you make of a backbone. `pip install keras-hub`.

# %%
import keras
import keras_hub
import numpy as np

from keras_fusion import layers, zoo

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# `BertBackbone.from_preset("bert_tiny_en_uncased")` fetches one that was trained on
# texts, and `keras_hub.tokenizers.BertTokenizer` of the same preset makes ids of yours.
# In a recipe `encoders.report = "keras_hub:bert_tiny_en_uncased"` does both for a text
# of [a table](../tables.md), in training and in the exported model. A small new network
# stands in for it here, so that this guide needs no network.


# %%
def backbone():
    return keras_hub.models.BertBackbone(
        vocabulary_size=50,
        num_layers=1,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=12,
    )


labels = np.arange(120) % 4
ids = rng.integers(10, 50, (120, 12)).astype("int32")
ids[:, 0] = 1 + labels // 2  # one word tells one half of the class
ids[::2, 8:] = 0  # padding
picture = rng.normal(0, 0.5, (120, 16)).astype("float32")
picture[:, 0] += 2 * (labels % 2)
inputs = {"text": ids, "picture": picture}

# %% [markdown]
# ## As an encoder
#
# The modality is the ids of the tokens. Where an id is 0 there is no token, and the
# backbone's `padding_mask` says so; its pooled output is fused.

# %%
model = zoo.FusionClassifier(
    {"text": (12,), "picture": (16,)},
    classes=4,
    encoders={"text": backbone()},
    fusion="GatedMultimodalUnit",
    units=16,
    dropout=0.1,
)
model.compile(
    keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(inputs, labels, epochs=15, verbose=0)
print(f"as an encoder: {model.evaluate(inputs, labels, verbose=0)[1]:.2f}")

# %% [markdown]
# An operator on tokens gets the sequence in place of the pooled output.

# %%
tokens = zoo.FusionClassifier(
    {"text": (12,), "picture": (16,)},
    classes=4,
    encoders={"text": backbone()},
    fusion="JointAttention",
    units=16,
)
print(tokens.get_layer("fusion"))

# %% [markdown]
# ## Fusion in a model of your own
#
# Here the picture is one more token beside those of the text, and `mask` says which
# tokens of the text are there. A head on top makes a task of the backbone.

# %%
bert = backbone()
image = keras.Input((16,), name="picture")
states = bert.output["sequence_output"]
image_tokens = keras.layers.Reshape((1, 16))(image)
there = keras.ops.cast(bert.input["padding_mask"], "bool")
seen = keras.ops.ones_like(image_tokens[..., 0], dtype="bool")
fused = layers.JointAttention(units=16, num_heads=2, name="fusion")(
    [states, image_tokens], mask=[there, seen]
)
answer = keras.layers.Dense(4, "softmax")(fused)
task = keras.Model(bert.input | {"picture": image}, answer)
task.compile(
    keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
given = {
    "token_ids": ids,
    "segment_ids": np.zeros_like(ids),
    "padding_mask": (ids != 0).astype("int32"),
    "picture": picture,
}
task.fit(given, labels, epochs=15, verbose=0)
print(f"inside a model: {task.evaluate(given, labels, verbose=0)[1]:.2f}")
