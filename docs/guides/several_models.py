# %% [markdown]
# # Several models as one
#
# The mean of several models' answers is often better than each of them, and says more
# honestly how sure it is. `zoo.ensemble` makes one model of them, which is saved,
# exported and served like any other.

# %%
import keras
import numpy as np

from keras_fusion import datasets, zoo

data = datasets.load("mfeat", labels_per_class=10).only("kar", "zer", "mor")


def trained(seed, **arguments):
    """A model that began from its own random weights."""
    keras.utils.set_random_seed(seed)
    arguments = {"units": 32} | arguments
    model = zoo.FusionClassifier(data.input_shapes, data.classes, **arguments)
    model.compile(
        keras.optimizers.AdamW(2e-3),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(*data.train, epochs=10, verbose=0)
    return model


members = [
    trained(0, fusion="GatedMultimodalUnit"),
    trained(1, fusion="GatedMultimodalUnit"),
    trained(2, fusion="Concatenation"),
]


def report(name, model):
    """Prints the accuracy and the cross-entropy on validation rows."""
    probabilities = model.predict(data.validation.inputs, verbose=0)
    labels = data.validation.labels
    right = probabilities[np.arange(len(labels)), labels]
    accuracy = (probabilities.argmax(axis=-1) == labels).mean()
    print(f"{name}: accuracy {accuracy:.3f}, loss {-np.log(right + 1e-9).mean():.3f}")


for member in members:
    report(member.get_layer("fusion").__class__.__name__, member)

# %% [markdown]
# ## One model of all
#
# `weights` says what each member counts; without it all count alike.

# %%
together = zoo.ensemble(members, weights=[1, 1, 2])
report("ensemble", together)

together.save("ensemble.keras")
again = keras.saving.load_model("ensemble.keras", compile=False)
report("loaded again", again)

# %% [markdown]
# ## Late fusion is an ensemble of single modalities
#
# Members may take some of the modalities alone. `LateFusionClassifier` averages models
# of single modalities, trained before or together, over what is present.

# %%
alone = {}
for name, shape in data.input_shapes.items():
    keras.utils.set_random_seed(0)
    alone[name] = zoo.UnimodalClassifier({name: shape}, data.classes, units=32)
    alone[name].compile(keras.optimizers.AdamW(2e-3), "sparse_categorical_crossentropy")
    alone[name].fit(*data.only(name).train, epochs=10, verbose=0)
late = zoo.LateFusionClassifier(data.input_shapes, data.classes, models=alone)
report("late fusion", late)
