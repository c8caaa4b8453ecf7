"""Calls of layers under `keras.RematScope`, recomputed for the gradients."""

import keras
from keras import ops, tree


def recomputed(layer, layer_call, recompute):
    """`layer_call` recomputed for the gradients, of floats alone and without effects.

    Keras hands flags and functions to what is recomputed, where JAX takes everything
    for an array, and TensorFlow for an array of floats. A layer leaves state, masks and
    losses behind, such as where its random numbers go on; JAX lets nothing out but what
    is returned, TensorFlow returns floats alone, and whoever computes again would draw
    other numbers. Here flags stay outside, all computing begins from the same state,
    and what is left behind comes out and is then set, once.

    Args:
        layer: Whose call it is.
        layer_call: Its `call`.
        recompute: From a function of tensors to one that is recomputed, or to itself
            where nothing is to be.
    """
    if recompute(layer_call) is layer_call:
        return layer_call
    in_jax = keras.backend.backend() == "jax"

    def call(*args, **kwargs):
        given = (args, kwargs)
        leaves = tree.flatten(given)
        is_float = [ops.is_tensor(x) and "float" in str(x.dtype) for x in leaves]
        before, changed, left = {}, [], []

        def of_floats(*floats):
            found = iter(floats)
            every = [next(found) if f else x for f, x in zip(is_float, leaves)]
            args, kwargs = tree.pack_sequence_as(given, every)
            with _Inside(before) as scope:
                outputs = layer_call(*args, **kwargs)
            for part in layer._flatten_layers():  # they are the losses of `layer` now
                part._loss_ids.difference_update(map(id, scope.losses))
            changed[:] = scope.changed.values()
            state = [scope.get_current_value(variable) for variable in changed]
            masks = [getattr(x, "_keras_mask", None) for x in tree.flatten(outputs)]
            left[:] = state, masks
            return (outputs, scope.losses, *(left if in_jax else ()))

        floats = [x for f, x in zip(is_float, leaves) if f]
        outputs, losses, *returned = recompute(of_floats)(*floats)
        state, masks = returned or left
        for variable, value in zip(changed, state, strict=True):
            variable.assign(value)
        for loss in losses:
            layer.add_loss(loss)
        for x, mask in zip(tree.flatten(outputs), masks, strict=True):
            if mask is not None:
                x._keras_mask = mask
        return outputs

    return call


class _Inside(keras.StatelessScope):
    """A scope inside of another one, that remembers what is changed.

    Args:
        before: Values of variables before their first change, by id; gets them.
    """

    def __init__(self, before: dict):
        super().__init__(collect_losses=True)
        self.before, self.changed = before, {}

    def get_current_value(self, variable):
        for values in (self.state_mapping, self.before):
            if id(variable) in values:
                return values[id(variable)]
        outer = self.original_scope
        return None if outer is None else outer.get_current_value(variable)

    def add_update(self, update):
        variable, _ = update
        if id(variable) not in self.changed:
            self.before.setdefault(id(variable), ops.copy(variable.value))
            self.changed[id(variable)] = variable
        super().add_update(update)
