"""Backbones of a recipe as they learn: when, and at a rate of their own."""

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.experiments.recipes import Recipe, Training
from keras_fusion.zoo.parts.described import Described, described, name_of


def backbones(recipe: Recipe) -> dict[str, Described]:
    """What the recipe says of its backbones, by name of the modality."""
    encoders = recipe.arguments.get("encoders")
    if not isinstance(encoders, dict):  # of which the builder knows what is wrong
        return {}
    found = {m: described(m, encoder) for m, encoder in encoders.items()}
    return {m: said for m, said in found.items() if said is not None}


def fingerprints(recipe: Recipe) -> dict[str, str]:
    """SHA-256 of each file that a backbone of the recipe is read from."""
    said = backbones(recipe).values()
    files = {Path(name) for x in said for name in (x.source, x.weights)}
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(files)
        if file.is_file()
    }


def stages(recipe: Recipe) -> list[tuple[int, int]]:
    """First epoch of each stage and the one after its last.

    A stage begins where a backbone that was frozen until then begins to learn.
    """
    epochs = recipe.training.epochs
    begins = {said.after for said in backbones(recipe).values() if said.trainable}
    borders = sorted({0, epochs, *(n for n in begins if n < epochs)})
    return list(itertools.pairwise(borders))


def freeze(recipe: Recipe, model: keras.Model, epoch: int) -> None:
    """Sets which backbones of the recipe's model learn in this epoch."""
    for said, layer in _inside(recipe, model):
        layer.trainable = said.trainable and epoch >= said.after


def optimizer(
    recipe: Recipe, model: keras.Model, schedule: Callable
) -> keras.optimizers.Optimizer:
    """The recipe's optimizer, and another of its kind for each rate of a backbone.

    Args:
        recipe: Names it.
        model: As the recipe builds it.
        schedule: From a learning rate to what an optimizer takes for one.

    Raises:
        ValueError: If there is no such optimizer, or this Keras knows one rate alone.
    """
    settings = recipe.training
    rates, owners = {}, {}
    for said, layer in _inside(recipe, model):
        if said.trainable and said.learning_rate is not None:
            rate = rates.setdefault(
                said.learning_rate, _one(settings, schedule(said.learning_rate))
            )
            owners |= {id(v): rate for v in layer.trainable_variables}
    rest = _one(settings, schedule(settings.learning_rate))
    if not owners:
        return rest
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        raise InputError(
            "A learning rate of a backbone's own needs a Keras with MultiOptimizer; "
            f"this is {keras.__version__}."
        )
    return keras.optimizers.MultiOptimizer(lambda v: owners.get(id(v), rest))


def for_later(recipe: Recipe, model: keras.Model) -> keras.optimizers.Optimizer:
    """What `model` is saved with: its optimizer at a constant rate.

    One with several rates cannot be saved. In its place is a new one for all weights,
    at the lowest of them, so that going on does not spoil a backbone.
    """
    # The run's own schedule has come to zero, where nothing is learned any more.
    rates = [recipe.training.learning_rate]
    several = hasattr(model.optimizer, "optimizers")
    if several:
        said = backbones(recipe).values()
        rates += [x.learning_rate for x in said if x.learning_rate is not None]
    constant = keras.optimizers.schedules.ExponentialDecay(
        min(rates), decay_steps=1, decay_rate=1.0
    )
    if several:
        new = _one(recipe.training, constant)
        new.build(model.trainable_variables)
        return new
    model.optimizer.learning_rate = constant
    return model.optimizer


def falling(begin: int, end: int, steps: int, parts: int = 1) -> Callable:
    """A learning rate -> its fall to zero along a cosine, from where a stage begins.

    Args:
        begin: Epoch of the stage.
        end: Epochs of the whole run.
        steps: Batches an epoch.
        parts: Of a batch, which Keras counts as steps of their own.
    """
    left = (1 + math.cos(math.pi * begin / end)) / 2

    def schedule(rate):
        decay = keras.optimizers.schedules.CosineDecay
        decay = decay(rate * left, (end - begin) * steps)
        return decay if parts == 1 else _OfBatches(decay, parts)

    return schedule


class _OfBatches(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, schedule, parts):
        self.schedule, self.parts = schedule, parts

    def __call__(self, step):
        return self.schedule(step // self.parts)


def _one(settings: Training, rate):
    config = {"learning_rate": rate, "weight_decay": settings.weight_decay}
    if settings.batch_parts > 1:
        config["gradient_accumulation_steps"] = settings.batch_parts
    try:
        return keras.optimizers.get(
            {"class_name": settings.optimizer, "config": config}
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"optimizer {settings.optimizer!r}: {error}") from error


def _inside(recipe, model):
    """What is said of each backbone, and the layer of the model that it is."""
    names = {name_of(m): said for m, said in backbones(recipe).items()}
    return [(names[x.name], x) for x in layers_of(model) if x.name in names]


def layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """All layers of a model, and of the models in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
