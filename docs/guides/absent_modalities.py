# %% [markdown]
# # Absent modalities
#
# A patient has no scan, a camera is off, a reading is late. Whatever an absent modality
# holds, NaN included, has no influence on the output of a model of this library or on
# its gradients. This guide trains on digits of which parts are absent, and shows what
# the model does without them.

# %%
import keras
import numpy as np

from keras_fusion import datasets, zoo

keras.utils.set_random_seed(0)
data = datasets.load("mfeat", labels_per_class=10)
data = data.only("kar", "zer", "mor")  # three of the six sets of features
print(data.input_shapes)

# %% [markdown]
# ## Train for what will be missing
#
# `modality_mask=True` adds an input `(B, M)` that says what is there, its columns in
# the order of the modalities. `modality_dropout` drops modalities in training, sample
# by sample and never the last one, so that the model has met what it will meet.

# %%
model = zoo.FusionClassifier(
    data.input_shapes,
    data.classes,
    fusion="ModalityAttention",
    modality_mask=True,
    modality_dropout=0.3,
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
everything = {**data.train.inputs, "modality_mask": data.train.modality_mask}
model.fit(everything, data.train.labels, epochs=20, verbose=0)

# %% [markdown]
# ## What it knows without each of them

# %%
names = list(data.input_shapes)


def accuracy(absent=()):
    """Accuracy on the test rows where some modalities are absent."""
    inputs = dict(data.test.inputs)
    for name in absent:
        inputs[name] = np.full_like(inputs[name], np.nan)
    mask = datasets.modality_mask(inputs)  # present is what is not all NaN
    inputs["modality_mask"] = mask
    return model.evaluate(inputs, data.test.labels, verbose=0, return_dict=True)[
        "accuracy"
    ]


print(f"all there: {accuracy():.3f}")
for name in names:
    print(f"without {name}: {accuracy([name]):.3f}")

# %% [markdown]
# ## Absent means absent
#
# What stands in the place of an absent modality makes no difference: zeros, NaN or
# another digit's features give the very same probabilities.

# %%
three = {name: x[:3] for name, x in data.test.inputs.items()}
mask = np.array([[True, True, False]] * 3)  # the last one, mor, is absent
for stand_in in (0.0, np.nan, 1e6):
    three["mor"] = np.full_like(three["mor"], stand_in)
    probabilities = model.predict({**three, "modality_mask": mask}, verbose=0)
    print(stand_in, probabilities.max(axis=-1))

# %% [markdown]
# Operators that weigh their modalities say how much each counted. An absent one counts
# nothing.

# %%
print(names)
print(zoo.modality_weights(model, {**three, "modality_mask": mask}).round(2))

# %% [markdown]
# A model with a mask can also be asked, whatever its operator, what each modality
# contributed: the Shapley values of a score add up to the score. `shapley_interactions`
# says which modalities need each other.

# %%
from keras_fusion.attribution import shapley_values  # noqa: E402


def share_right(labels, probabilities):
    return np.mean(probabilities.argmax(axis=-1) == labels)


found = shapley_values(
    model, data.test.inputs, labels=data.test.labels, measure=share_right
)
print(dict(zip(found.modalities, found.values.round(3))), found.base.round(3))

# %% [markdown]
# ## Layers by themselves
#
# Every operator takes the mask, too.

# %%
from keras_fusion.layers import Averaging  # noqa: E402

seen, heard = np.ones((2, 4), "float32"), np.full((2, 4), np.nan, "float32")
mean = Averaging()([seen, heard], modality_mask=[[True, False]] * 2)
print(keras.ops.convert_to_numpy(mean))

# %% [markdown]
# A table needs none of this by hand: `datasets.table` finds what is absent ([your own
# table](own_table.md)), and a saved model that `zoo.deployable` made takes a modality
# that is all NaN as absent.
