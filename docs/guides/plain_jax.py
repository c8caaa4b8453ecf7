# %% [markdown]
# # Fusion layers inside a plain JAX program
#
# On the JAX backend a layer is a pure function of its variables: `stateless_call` takes
# their values and gives the output. `jax.grad`, `jax.jit` and any optimizer do the
# rest.

# %%
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from keras_fusion.layers import GatedMultimodalUnit  # noqa: E402

rng = np.random.default_rng(0)
labels = np.arange(60) % 3
image = (rng.normal(size=(60, 8)) + np.eye(3, 8)[labels]).astype("float32")
sound = (rng.normal(size=(60, 5)) + np.eye(3, 5)[labels]).astype("float32")
present = np.ones((60, 2), bool)
present[::3, 1] = False
sound[::3] = np.nan  # there is no sound

# %% [markdown]
# The layer makes its variables when it is built. Their values are a list of arrays, a
# part of the parameters like any other.

# %%
fuse = GatedMultimodalUnit(units=16)
fuse.build([image.shape, sound.shape])
parameters = {
    "fuse": [v.value for v in fuse.trainable_variables],
    "head": jnp.zeros((16, 3)),
}
print(jax.tree.map(jnp.shape, parameters))


def logits(parameters, image, sound, present):
    """The classifier, a pure function."""
    fused, _ = fuse.stateless_call(
        parameters["fuse"], [], [image, sound], modality_mask=present
    )
    return fused @ parameters["head"]


# %% [markdown]
# ## A loop of your own
#
# The absent sound holds NaN, and neither the loss nor a gradient becomes NaN of it.


# %%
def loss(parameters):
    """Cross-entropy over all samples."""
    log = jax.nn.log_softmax(logits(parameters, image, sound, present))
    return -log[jnp.arange(len(labels)), labels].mean()


@jax.jit
def step(parameters):
    """One step of gradient descent."""
    value, gradient = jax.value_and_grad(loss)(parameters)
    return value, jax.tree.map(lambda p, g: p - 0.5 * g, parameters, gradient)


for i in range(60):
    value, parameters = step(parameters)
    if i % 20 == 0:
        print(f"step {i}: {value:.3f}")
accuracy = (logits(parameters, image, sound, present).argmax(-1) == labels).mean()
print(f"accuracy on the training samples: {accuracy:.2f}")

# %% [markdown]
# A layer with dropout has non-trainable variables, the state of its random numbers:
# pass `fuse.non_trainable_variables` in place of the empty list, and keep what comes
# back as the second value.
