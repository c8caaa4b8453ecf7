"""Trains the default on all splits of a data set at once, for `benchmarks.linear`."""

from functools import partial

import jax
import jax.numpy as jnp
import keras

from benchmarks import defaults
from benchmarks import defaults_training as steps
from benchmarks.linear import BEFORE, DEFAULT, NETWORK, r_squared
from keras_fusion import zoo
from keras_fusion.common.names import MASK
from keras_fusion.experiments.batches import model_inputs
from keras_fusion.experiments.own_data import USUAL
from keras_fusion.experiments.recipes import Training
from keras_fusion.layers.heads import Heads
from keras_fusion.zoo.parts.heads import FUSED

EPOCHS = 200  # of a recipe for a file of one's own


def of_classes(splits) -> dict:
    """Records of the network, and of the default."""
    found = {}
    for name, linear in ((NETWORK, False), (DEFAULT, True)):
        given = defaults.USUAL | {"linear_path": linear}
        kept = steps.fit(splits, given).items()
        found[name] = {k: x for k, x in kept if k in ("test", "missing", "share")}
    return found


def of_numbers(splits) -> dict:
    """Records of the network, of its heads averaged, and of the default.

    Args:
        splits: With labels and features as they train.
    """
    data = {n: steps.stacked([parts[n] for parts in splits]) for n in splits[0]}
    for part in data.values():
        part["labels"] = part["labels"].astype("float32")
    inputs = data["train"]["inputs"].items()
    model = _model({m: x.shape[2:] for m, x in inputs if m != MASK})
    averaged = _averaged(model)
    batch = min(Training().batch_size, data["train"]["labels"].shape[1])
    epoch = jax.vmap(
        partial(steps.one_epoch, model, batch), (None, 0, 0, 0, 0, None, 0)
    )
    judge = jax.jit(jax.vmap(partial(_judge, model)))
    rates = {k: getattr(Training(), k) for k in ("learning_rate", "weight_decay")}
    trained = steps.trained(model, jax.jit(epoch), judge, data, rates, EPOCHS)
    weights = trained[0]["weights"]
    found = {BEFORE: {}, NETWORK: {}, DEFAULT: {"share": []}}
    blend = model.get_layer("blend")
    alone = blend.get_weights()
    for k, parts in enumerate(splits):
        blend.set_weights(alone)
        for variable, values in zip(model.trainable_variables, weights):
            variable.assign(values[k])
        _note(found[BEFORE], averaged, parts["test"])
        _note(found[NETWORK], model, parts["test"])
        rows = [
            (model_inputs(model, parts[n].inputs), parts[n].labels)
            for n in ("train", "validation")
        ]
        shares = zoo.blend_linear(model, *rows[0], *rows[1])
        found[DEFAULT]["share"].append(shares.whole)
        _note(found[DEFAULT], model, parts["test"])
    return found


def _model(shapes):
    jax.clear_caches()
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    arguments = USUAL | {"modality_mask": True, "classifier_activation": None}
    model = zoo.FusionClassifier(shapes, 1, **arguments)
    model.compile(loss="mse")
    return model


def _averaged(model):
    """The same network with the mean of all its predictions."""
    own = [model.get_layer(f"{m}_predictions") for m in model.input if m != MASK]
    outputs = [x.output for x in (model.get_layer(FUSED), *own)]
    mean = Heads("average", dtype="float32")
    return keras.Model(model.input, mean(outputs, modality_mask=model.input[MASK]))


def _judge(model, weights, state, part):
    """The mean squared error, and minus that as a score."""
    outputs, _ = model.stateless_call(weights, state, part["inputs"], training=False)
    errors = jnp.square(outputs[:, 0] - part["labels"])
    error = jnp.mean(errors, where=part["counts"])
    return error, -error


def _note(record, model, part):
    """Adds R^2 with everything there, and the mean with each modality missing."""
    inputs, scores = model_inputs(model, part.inputs), []
    for m in (None, *range(len(part.inputs))):
        mask = inputs[MASK].copy()
        if m is not None:
            mask[:, m] = False
        found = model.predict(inputs | {MASK: mask}, batch_size=1000, verbose=0)
        scores.append(r_squared(part.labels, found[:, 0]))
    record.setdefault("test", []).append(round(scores[0], 5))
    missing = sum(scores[1:]) / len(scores[1:])
    record.setdefault("missing", []).append(round(missing, 5))
