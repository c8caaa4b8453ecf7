"""What all layers of the library share: their configuration, kernels and names."""

import inspect
import itertools

import keras

from keras_fusion.layers.recomputed import recomputed


class Layer(keras.layers.Layer):
    """Base of the library's layers.

    Every weight and every sub-layer gets a name that says what it is. Keras would count
    the layers of the process instead, and a model built twice would have other paths.
    """

    torch_mode = None  # what torch's train() or eval() last said to this layer

    def add_kernel(self, name, shape, initializer=None):
        """A weight with the layer's `kernel_initializer` and `kernel_regularizer`.

        Args:
            initializer: In place of the layer's.
        """
        return self.add_weight(
            shape=shape,
            initializer=fresh(initializer or self.kernel_initializer),
            regularizer=keras.regularizers.get(self.kernel_regularizer),
            name=name,
        )

    def dense(self, name, units, shape, **kwargs):
        """A built `Dense` with this layer's policy, initializer and regularizer.

        Args:
            name: What it is in this layer, as `"output"`; no other part has this name.
            units: Width of its output.
            shape: Shape of its input.
            **kwargs: In place of what it takes from the layer.
        """
        options = {
            "use_bias": self.use_bias,
            "kernel_initializer": fresh(self.kernel_initializer),
            "kernel_regularizer": self.kernel_regularizer,
            "dtype": self.dtype_policy,
        }
        dense = keras.layers.Dense(units, name=name, **(options | kwargs))
        dense.build(shape)
        return dense

    def layer_norm(self, name, width, epsilon=1e-5):
        """A built `LayerNormalization` of the last axis, for inputs of any rank."""
        norm = keras.layers.LayerNormalization(
            epsilon=epsilon, dtype=self.dtype_policy, name=name
        )
        norm.build((None, width))
        norm.axis = -1  # Keras 3.16 counts it from the front of what it was built with
        return norm

    def add_seed(self, seed):
        """A generator of random numbers, for the layer to keep."""
        with keras.name_scope(self.name):
            return keras.random.SeedGenerator(seed, name="seed")

    def as_numbers(self, x):
        """`x` in the compute dtype: Keras casts floats alone, and integers overflow."""
        return keras.ops.cast(x, self.compute_dtype)

    def get_config(self):
        config = super().get_config() | own_arguments(self)
        policies = self._quantized_policies()
        if policies:
            policies = keras.dtype_policies.DTypePolicyMap(self.dtype_policy, policies)
            config["dtype"] = keras.saving.serialize_keras_object(policies)
        return config

    def train(self, mode=True):
        """Called by torch alone, on every module of a `torch.nn.Module`."""
        self.torch_mode = mode
        return super().train(mode)

    def resolve_training(self, training):
        """`training`, or where nobody gave it what torch's `train()` said, if anything.

        A new torch module is in training mode, a Keras layer is not: only a call of
        `train()` or `eval()` counts. Inside another Keras layer Keras' rule holds:
        `fit` calls `train()` and leaves the model so.
        """
        if training is not None or self.torch_mode is None:
            return training
        # No public name tells whether another Keras layer is calling.
        context = self._get_call_context()
        if not hasattr(context, "training"):  # made just now: `call` itself was called
            self._maybe_reset_call_context()
            return self.torch_mode
        return self.torch_mode if context.entry_layer is self else training

    def rematerialized_call(self, layer_call, *args, **kwargs):
        """The call under `keras.RematScope`, which Keras asks for."""
        keras_own = super().rematerialized_call
        # Keras 3.16 would hand `training` to what is recomputed, which takes tensors.
        kwargs = {name: x for name, x in kwargs.items() if name != "training"}
        return recomputed(
            self, layer_call, lambda call: keras_own(call, *args, **kwargs)
        )

    def _quantized_policies(self):
        """Policies of the sub-layers that `quantize` changed, by path.

        Empty where the layer was itself made with a map of them, which Keras keeps.
        """
        if isinstance(self.dtype_policy, keras.dtype_policies.DTypePolicyMap):
            return {}
        return {
            part.path: part.dtype_policy
            for part in self._flatten_layers(include_self=False)
            if part.quantization_mode is not None
        }


def own_arguments(layer) -> dict:
    """The constructor arguments of `layer`, each stored unchanged under its name.

    For `get_config`: Keras' automatic one breaks on a `DTypePolicy` as argument.
    """
    ours = itertools.takewhile(
        lambda c: c is not keras.layers.Layer, type(layer).__mro__
    )
    return {
        name: getattr(layer, name)
        for cls in ours
        if "__init__" in vars(cls)
        for name in inspect.signature(cls.__init__).parameters
        if name not in ("self", "args", "kwargs")
    }


def fresh(initializer):
    """An initializer of its own: one instance would draw the same values twice."""
    found = keras.initializers.get(initializer)
    return found.clone() if hasattr(found, "clone") else found
