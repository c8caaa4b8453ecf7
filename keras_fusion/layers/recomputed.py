"""Calls of layers under `keras.RematScope`, recomputed for the gradients."""

import keras
from keras import ops, tree


def recomputed(layer, layer_call, recompute):
    """`layer_call` recomputed for the gradients, of tensors alone and without effects.

    Keras hands flags and functions to what is recomputed, where JAX takes everything
    for an array. A layer leaves state and losses behind, such as where its random
    numbers go on; JAX lets nothing out but what is returned, and whoever computes again
    would draw other numbers. Here flags stay outside, all computing begins from the
    same state, and state and losses are returned and then set, once.

    Args:
        layer: Whose call it is.
        layer_call: Its `call`.
        recompute: From a function of tensors to one that is recomputed.
    """

    def call(*args, **kwargs):
        given = (args, kwargs)
        leaves = tree.flatten(given)
        is_tensor = [ops.is_tensor(x) for x in leaves]
        before, changed = {}, []

        def with_tensors(*tensors):
            found = iter(tensors)
            every = [next(found) if t else x for t, x in zip(is_tensor, leaves)]
            args, kwargs = tree.pack_sequence_as(given, every)
            with _Inside(before) as scope:
                outputs = layer_call(*args, **kwargs)
            for part in layer._flatten_layers():  # they are the losses of `layer` now
                part._loss_ids.difference_update(map(id, scope.losses))
            changed[:] = scope.changed.values()
            state = [scope.get_current_value(variable) for variable in changed]
            return outputs, state, scope.losses

        tensors = [x for t, x in zip(is_tensor, leaves) if t]
        outputs, state, losses = recompute(with_tensors)(*tensors)
        for variable, value in zip(changed, state, strict=True):
            variable.assign(value)
        for loss in losses:
            layer.add_loss(loss)
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
