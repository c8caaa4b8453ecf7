# %% [markdown]
# # Several devices
#
# A large model trains on several devices by the engine of its backend, and stays as it
# is. A recipe needs one option:
#
#     keras-fusion train mfeat_modality_attention --devices 2
#
# The batch size of the recipe stays the size of a whole batch, which the devices share.
# So the numbers are those of one device to rounding. A search runs its trials on
# several processors or machines [by Ray](ray.md). The rest of this page is Python.

# %%
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=2")

import keras  # noqa: E402
import numpy as np  # noqa: E402

from keras_fusion import zoo  # noqa: E402

rng = np.random.default_rng(0)
labels = np.arange(240) % 3
shape = (rng.normal(size=(240, 8)) + np.eye(3, 8)[labels]).astype("float32")
texture = (rng.normal(size=(240, 5)) + np.eye(3, 5)[labels]).astype("float32")

# %% [markdown]
# ## JAX
#
# `DataParallel` gives each device a part of every batch and a copy of the model. Choose
# batches that the number of devices divides. The flag above makes two devices of one
# processor, to try it without a GPU; leave it out where there are some.

# %%
devices = keras.distribution.list_devices()
print(devices)
batch = 32 * len(devices)
with keras.distribution.DataParallel(devices=devices).scope():
    model = zoo.FusionClassifier({"shape": (8,), "texture": (5,)}, classes=3, units=16)
    model.compile(
        keras.optimizers.Adam(1e-2),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    inputs = {"shape": shape, "texture": texture}
    model.fit(inputs, labels, batch_size=batch, epochs=10, verbose=0)
    print(f"accuracy: {model.evaluate(inputs, labels, batch, verbose=0)[1]:.2f}")

# %% [markdown]
# `keras-fusion train RECIPE --devices 2` does the same, on TensorFlow as well, with
# absent modalities and with files that are read batch by batch. Masks of a foreground
# train on one device, and so does a graph, which is one batch: both say so.
#
# ## The others
#
# - **TensorFlow**: build and compile inside `tf.distribute.MirroredStrategy().scope()`.
#   With `modality_mask=True` give the mask as int32: Keras averages the first batch,
#   and truth values have no mean.
# - **torch**: a process trains on each device, and torchrun starts them:
#   `torchrun --no-python --nproc-per-node 2 keras-fusion train RECIPE --devices 2`.
#   This needs Keras 3.16, which is not released (`pip install --pre keras-nightly`);
#   Keras 3.15 has no data parallelism on torch, and the command says so. What counts
#   over a batch, such as BatchNormalization, counts over a process's own part, and all
#   go on with what the first has counted. Each draws the same dropout for its part.
#   In a loop of your own `DistributedDataParallel` wraps a layer, which is a
#   [`torch.nn.Module`](plain_torch.md), on any Keras; a first call makes its weights.
# - **Several hosts**: on JAX `keras-fusion train RECIPE --devices N`, the same on each,
#   where `JAX_COORDINATOR_ADDRESS`, `JAX_NUM_PROCESSES` and `JAX_PROCESS_ID` are set.
#   Kubeflow sets them ([deploy/README.md](../../deploy/README.md)). All hosts see the
#   folder of runs. In Python `keras.distribution.initialize` comes before all else, and
#   each host gives `fit` its own part of every batch.
