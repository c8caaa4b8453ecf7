# %% [markdown]
# # Loading a saved model elsewhere
#
# A model of the zoo is a plain functional `keras.Model`, and its `.keras` file is one
# of Keras. It loads on every backend. Three things are worth knowing.

# %%
import keras
import numpy as np

from keras_fusion import datasets, export, zoo
from keras_fusion.export import portable

keras.utils.set_random_seed(0)
data = datasets.load("mfeat", labels_per_class=10).only("kar", "mor")
model = zoo.FusionClassifier(data.input_shapes, data.classes, units=16)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(*data.train, epochs=5, verbose=0)
model.save("digits.keras")

# %% [markdown]
# ## Import the layers first
#
# Keras finds a class by its registered name. `import keras_fusion.layers` registers
# those of the library; without it `load_model` says "Could not locate class". Your own
# operators need the import of the file that has them. `compile=False` leaves the
# optimizer out, whose class belongs to the backend that saved it.

# %%
import keras_fusion.layers  # noqa: E402, F401

again = keras.saving.load_model("digits.keras", compile=False)
rows = data.test.inputs
np.testing.assert_allclose(
    again.predict(rows, verbose=0), model.predict(rows, verbose=0), atol=1e-6
)
print("the same answers")

# %% [markdown]
# ## Load what you did not write
#
# `keras_fusion.export.load` does both, and refuses a file that is damaged, that holds
# an unknown class, or that does more than compute.

# %%
print(export.load("digits.keras").name)

with open("digits.keras", "rb") as file:
    half = file.read()[:5000]
with open("broken.keras", "wb") as file:
    file.write(half)
try:
    export.load("broken.keras")
except ValueError as error:
    print(error)

# %% [markdown]
# ## Go on training on another backend
#
# `portable.save` writes a file of a compiled model that names no backend's optimizer.
# `portable.load` compiles it wherever it is, with the moments of the optimizer.

# %%
portable.save(model, "training.keras")
there = portable.load("training.keras")
there.fit(*data.train, epochs=1, verbose=0)
print("steps:", int(there.optimizer.iterations))

# %% [markdown]
# ## Where this library is not installed
#
# An exported SavedModel, an ONNX file or a LiteRT file holds the computation itself and
# needs nothing of the library ([export and serving](export_and_serving.md)). Which
# versions read which files stands in [compatibility](../compatibility.md).
