"""The model of a recipe, and the recipes that it is compared with."""

import dataclasses
import inspect
from collections.abc import Iterable

import keras

from keras_fusion import datasets, zoo
from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import safe_names
from keras_fusion.datasets.columns.encoders import TRANSFORMER
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.tasks import task_of
from keras_fusion.zoo.backbone import NONE
from keras_fusion.zoo.parts.blocks import template
from keras_fusion.zoo.parts.described import described

_UNITS = 64
LINEAR_PATH = "linear_path"


def build(recipe: Recipe, data: datasets.Dataset, **arguments) -> keras.Model:
    """The recipe's model for this data.

    Args:
        recipe: Names builder and arguments.
        data: Gives the input shapes and the number of classes.
        **arguments: Replace those of the recipe.

    Raises:
        InputError: If an argument does not fit.
    """
    builder = find("builder", recipe.builder, zoo.builders())
    _require_task(recipe, builder, data)
    head = task_of(data).head | _without_linear_path(recipe, builder, data)
    arguments = head | recipe.arguments | arguments
    try:
        if data.preprocessor is not None:
            arguments["encoders"] = _encoders(builder, data.preprocessor, arguments)
        return builder(data.input_shapes, data.classes, **arguments)
    except (TypeError, ValueError) as error:  # of Keras, too; all else is our fault
        raise InputError(f"{recipe.builder}: {error}") from error


def only(recipe: Recipe, modality: str) -> Recipe:
    """The recipe of the single-modality model with the same encoder and training.

    Its data have this modality alone. The classifiers of vectors have nothing to fuse
    then; of the others it is the model itself, whose attention is self-attention there.
    """
    record = zoo.builders()[recipe.builder].record
    builder, arguments = record.of_one(recipe.arguments, modality)
    # It has a name, since the average of all such models holds them all.
    arguments = arguments | {"name": f"only_{safe_names([modality])[modality]}"}
    return dataclasses.replace(recipe, builder=builder, arguments=arguments)


def of_modalities(recipe: Recipe, modalities: Iterable[str]) -> Recipe:
    """The recipe for data that have these modalities alone."""
    record = zoo.builders()[recipe.builder].record
    arguments = record.of_modalities(recipe.arguments, modalities)
    return dataclasses.replace(recipe, arguments=arguments)


def concatenation(recipe: Recipe) -> Recipe:
    """The recipe with concatenation in place of its operator, all else the same."""
    builder, arguments = recipe.builder, recipe.arguments
    if zoo.builders()[builder].record.fusion is None:
        builder = "FusionClassifier"
        known = inspect.signature(zoo.FusionClassifier).parameters
        arguments = {k: v for k, v in arguments.items() if k in known}
    arguments = {k: v for k, v in arguments.items() if k != "query"}
    arguments["fusion"] = "Concatenation"
    return dataclasses.replace(recipe, builder=builder, arguments=arguments)


def baseline(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the arguments of this one of its `baselines`."""
    return with_arguments(recipe, recipe.baselines[name])


def with_arguments(recipe: Recipe, arguments: dict) -> Recipe:
    """The recipe with these arguments of its builder, the others as they are."""
    return dataclasses.replace(recipe, arguments=recipe.arguments | arguments)


def _require_task(recipe, builder, data):
    """Raises an InputError where the labels ask for a head that a builder has not."""
    try:
        inspect.signature(builder).bind_partial(**task_of(data).head)
    except TypeError:
        raise InputError(
            f"{recipe.builder} is for one class a row; {data.name} has labels of "
            f"another task, {data.task}: take FusionClassifier."
        ) from None


def _without_linear_path(recipe, builder, data) -> dict:
    """Leaves out what nothing would fit; of numbers the builder has it by itself."""
    if (
        data.named_task is None
        or LINEAR_PATH not in inspect.signature(builder).parameters
    ):
        return {}
    if recipe.arguments.get(LINEAR_PATH):
        raise InputError(
            f"{recipe.name}: no linear model is fitted for the task "
            f"{data.named_task}: leave out {LINEAR_PATH}."
        )
    return {LINEAR_PATH: False}


def _encoders(builder, preprocessor, arguments) -> dict:
    """The encoders of a table's columns, but for those that the recipe gives."""
    units = arguments.get("units") or _default(builder, "units") or _UNITS
    depth = arguments.get("encoder_depth", _default(builder, "encoder_depth"))
    fusion = arguments.get("fusion", builder.record.fusion)
    takes = template(fusion, units).takes if fusion else "aligned"
    given = arguments.get("encoders") or {}
    known = preprocessor.modalities.keys()
    texts = {m: x for m, x in given.items() if x == TRANSFORMER and m in known}
    given = {m: x for m, x in given.items() if m not in texts}
    _check_words(preprocessor, given)
    depth = 1 if depth is None else depth
    dropout = arguments.get("dropout", 0.0)
    others = preprocessor.only(*(known - given.keys()))
    return others.encoders(takes, units, depth, dropout, texts) | given


def _check_words(preprocessor, encoders):
    """A network of texts takes the numbers of its own tokens, which it has learned."""
    for modality, encoder in encoders.items():
        said = described(modality, encoder)
        columns = preprocessor.modalities.get(modality, ())
        if said is None or not columns or columns[0].kind != "text":
            continue
        tokenizer = columns[0].state.get("tokenizer", {}).get("preset")
        if tokenizer is None and said.weights != NONE:
            raise ValueError(
                f"the column of {modality!r} is text, whose words the table numbers "
                f"itself, and {said.source} was trained on other numbers: give "
                "token ids of its own tokenizer as a column of arrays, or "
                f'weights = "{NONE}".'
            )
        if tokenizer is not None and tokenizer != said.source:
            raise ValueError(
                f"the column of {modality!r} has the tokens of {tokenizer}, and its "
                f"encoder is {said.source}: give both the same preset."
            )


def _default(builder, name):
    parameter = inspect.signature(builder).parameters.get(name)
    return parameter and parameter.default
