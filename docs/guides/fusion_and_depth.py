# %% [markdown]
# # Which fusion, and how deep
#
# Three choices make a fusion model: the operator, how deep the encoders before it are
# (0 is early fusion), and how many fusion blocks follow each other. This guide compares
# a few by hand on validation data, and then lets a search do it. The question which
# operator suits which data has [a page of its own](../which-fusion.md).

# %%
import keras
import keras_tuner

from keras_fusion import datasets, zoo
from keras_fusion.tuning import FusionHyperModel

data = datasets.load("mfeat", labels_per_class=10).only("kar", "zer", "mor")


def validation_accuracy(model, epochs=10):
    """Trains a model and judges it on validation rows, never on test rows."""
    model.compile(
        keras.optimizers.AdamW(2e-3),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    rows = data.only(*model.input)
    model.fit(*rows.train, epochs=epochs, verbose=0)
    return model.evaluate(*rows.validation, verbose=0, return_dict=True)["accuracy"]


# %% [markdown]
# ## The baselines come first
#
# A single modality and a concatenation cost little. A fusion is worth its weights only
# where it beats both.

# %%
for name in data.input_shapes:
    keras.utils.set_random_seed(0)
    alone = zoo.UnimodalClassifier(data.input_shapes, data.classes, modality=name)
    print(f"{name} alone: {validation_accuracy(alone):.3f}")

# %% [markdown]
# ## Operators and depths by hand

# %%
for fusion, encoder_depth, depth in [
    ("Concatenation", 0, 1),
    ("Concatenation", 1, 1),
    ("GatedMultimodalUnit", 1, 1),
    ("ModalityTransformer", 1, 2),
]:
    keras.utils.set_random_seed(0)
    model = zoo.FusionClassifier(
        data.input_shapes,
        data.classes,
        fusion=fusion,
        encoder_depth=encoder_depth,
        depth=depth,
        units=32,
    )
    accuracy = validation_accuracy(model)
    print(f"{fusion}, encoders {encoder_depth}, blocks {depth}: {accuracy:.3f}")

# %% [markdown]
# One seed says little where two numbers are close: repeat it with several seeds before
# you believe a difference. `keras-fusion evaluate` does so, with intervals.
#
# An operator's own arguments go into its config:

# %%
attention = zoo.FusionClassifier(
    data.input_shapes,
    data.classes,
    fusion={
        "class_name": "ModalityAttention",
        "config": {"readout": "query", "num_heads": 4},
    },
)
print(f"{attention.count_params():,} weights")

# %% [markdown]
# ## The search
#
# `FusionHyperModel` is the space of operators, depths and widths for any tuner of
# keras-tuner. Options of an operator are searched only for that operator.

# %%
space = {
    "fusion": ["Concatenation", "GatedMultimodalUnit"],
    "encoder_depth": [0, 2],
    "units": [16, 32],
}
fusion_model = FusionHyperModel(
    "FusionClassifier", data.input_shapes, data.classes, space=space
)
tuner = keras_tuner.RandomSearch(
    fusion_model,
    objective="val_accuracy",
    max_trials=3,
    seed=0,
    directory="trials",
    project_name="guide",
)
tuner.search(*data.train, validation_data=tuple(data.validation), epochs=5, verbose=0)
print(tuner.get_best_hyperparameters()[0].values)

# %% [markdown]
# `keras-fusion tune search.toml` does more: it begins with the baselines, heeds a limit
# of minutes, resumes after a kill and writes a report ([how to write a
# search](../../tuning/README.md)).
