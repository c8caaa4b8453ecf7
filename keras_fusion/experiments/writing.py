"""A recipe as a TOML file that a person edits."""

from collections.abc import Iterable
from pathlib import Path

from keras_fusion.common.escaping import one_line, toml
from keras_fusion.datasets import Dataset
from keras_fusion.datasets.asked import ORDINAL
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.zoo import builders


def recipe_text(path: Path, recipe: Recipe, data: Dataset, facts: Iterable[str]) -> str:
    """The recipe with what was taken for its data, each choice on a line of its own.

    Args:
        path: Where it will be.
        recipe: Names data set, label, arguments and training.
        data: As it was read.
        facts: Lines of a comment at the top.
    """
    arguments = {"fusion": builders()[recipe.builder].record.fusion}
    training = recipe.training
    lines = [
        f"# keras-fusion train {one_line(str(path))}",
        "#",
        *(f"# {one_line(fact)}" for fact in facts),
        *_pairs(dataset=recipe.dataset, **_labels(recipe, data)),
        *_pairs(builder=recipe.builder),
        f"ignore = {toml(list(data.left_out))}  # columns that are left out",
        f"scale = {toml(recipe.scale)}  # or feature, modality, quantile, none",
        '# groups = "patient"  # a column: rows of one value stay in one part',
        "",
        "[split]",
        f'by = "{recipe.split.by}"  # or "random", "column:NAME", "time:NAME"',
        "",
        "[arguments]",
        *_pairs(**arguments | recipe.arguments),
        "",
        "[training]",
        *_pairs(
            learning_rate=training.learning_rate,
            weight_decay=training.weight_decay,
            batch_size=training.batch_size,
        ),
        f"epochs = {training.epochs}  # at most",
        f"patience = {training.patience}  # epochs without a better score, or 0",
        f"seeds = {toml(list(training.seeds))}  # add some to see the spread",
    ]
    if data.task == "classification":
        lines.insert(-1, '# class_weight = "balanced"  # where some classes are rare')
    return "\n".join(lines) + "\n"


def _labels(recipe, data):
    if data.times:
        return {"time": recipe.time, "event": recipe.event, "task": data.task}
    said = {"label": recipe.label, "task": data.task}
    return said | ({"order": list(data.class_names)} if data.task == ORDINAL else {})


def _pairs(**values):
    """`key = value`; texts, numbers and truths as TOML has them."""
    return [f"{key} = {toml(value)}" for key, value in values.items()]
