# %% [markdown]
# # Inside a modality
#
# Shapley values say which modality a prediction stands on ([absent
# modalities](absent_modalities.md)). Integrated gradients say which part of it: the
# columns of a table, the words of a text, the pixels of a picture.

# %%
import keras
import numpy as np

from keras_fusion import datasets, zoo
from keras_fusion.attribution import integrated_gradients, over_picture, over_words

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# %% [markdown]
# ## Columns and words
#
# In this table an age above 60 and the word `fever` make ill; the rest is chance.

# %%
ages, fever = rng.integers(20, 90, 300), rng.random(300) < 0.4
days, hats = rng.integers(1, 30, 300), rng.choice(["red", "old", "new"], 300)
columns = {
    "age": ages,
    "day": days,
    "findings": [
        f"{minutes} minutes in a {hat} hat, {'fever' if ill else 'well'}"
        for minutes, hat, ill in zip(rng.permutation(300), hats, fever)
    ],
    "ill": np.where((ages > 60) | fever, "yes", "no"),
}
data = datasets.table(columns, label="ill")
encoders = data.preprocessor.encoders("aligned", units=16, depth=1, dropout=0.2)
model = zoo.FusionClassifier(data.input_shapes, data.classes, encoders=encoders)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(*data.train, epochs=40, verbose=0)
print(f"accuracy: {model.evaluate(*data.test, verbose=0)[1]:.2f}")

# %% [markdown]
# The values of a row add up to what the modality moved the probability by, from a row
# in which nothing of it was looked up. `error` is how far the sum falls short of it;
# more `steps` make it smaller.

# %%
yes = data.class_names.index("yes")
rows = {name: x[:200] for name, x in data.test.inputs.items()}
table = integrated_gradients(model, rows, "table", target=yes, steps=128)
for name, value in zip(data.columns["table"], np.abs(table.values).mean(axis=0)):
    print(f"{name} moves the probability by {value:.3f} on average")
print(f"largest error: {table.error.max():.4f}")

# %%
text = integrated_gradients(model, rows, "findings", target=yes)
row = int(text.values.sum(axis=1).argmax())
vocabulary = data.preprocessor.modalities["findings"][0].state["tokens"]
word_of = dict(enumerate(vocabulary, start=2))  # 0 is padding, 1 a word not seen
said = [word_of.get(int(i), "?") for i in rows["findings"][row] if i]
for word, value in zip(said, text.values[row]):
    print(f"{word:8} {value:+.3f}")
page = over_words(said, text.values[row][: len(said)])  # HTML for a notebook
print(page[:60])

# %% [markdown]
# ## Pixels
#
# `pix` is a small picture of a digit, 16 by 15 pixels. What is red speaks for the class
# that the model names, what is blue speaks against it. The first rows are zeros,
# and what speaks for them most is that the middle is empty.

# %%
digits = datasets.load("mfeat", labels_per_class=20).only("pix", "mor")
model = zoo.FusionClassifier(digits.input_shapes, digits.classes)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(*digits.train, epochs=40, verbose=0)
some = {name: np.asarray(x[:4]) for name, x in digits.test.inputs.items()}
pixels = integrated_gradients(model, some, "pix")
print(pixels.values.shape, f"largest error: {pixels.error.max():.4f}")

# %%
pictures = some["pix"].reshape(-1, 16, 15)
drawn = [over_picture(x, v.reshape(16, 15)) for x, v in zip(pictures, pixels.values)]
keras.utils.save_img("digits.png", np.concatenate(drawn, axis=1), scale=False)
print(np.shape(drawn))

# %% [markdown]
# Operators on tokens also say where each token looked: `return_weights="tokens"` of
# every block, and `attribution.attention_rollout` of all of them, tell how much of each
# token is in what comes out.
