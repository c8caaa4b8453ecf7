"""A recipe: one TOML file that names a builder, a data set and a training run."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from keras_fusion import datasets, zoo
from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError
from keras_fusion.datasets.scale_choice import AUTO, REST
from keras_fusion.experiments import schema, trust
from keras_fusion.experiments.keys import (
    Baselines,
    GroupBy,
    Labels,
    Modalities,
    Order,
    Scaling,
    TaskName,
)
from keras_fusion.experiments.run_settings import Split as Split
from keras_fusion.experiments.run_settings import Training as Training
from keras_fusion.experiments.schema import (
    Flag,
    Table,
    Text,
)
from keras_fusion.zoo import published
from keras_fusion.zoo.parts.described import of_raw_values, presets

RECIPE = "recipe.toml"
OF_THE_DATA = (
    "split task order time event ignore groups scale modalities group_by stream"
).split()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What one TOML file says.

    Attributes:
        name: Its folder, or its file.
        builder: Name of a builder in `keras_fusion.zoo`.
        dataset: What `datasets.load` reads.
        label: Array or column that holds the labels; of a table also several columns.
        task: What the labels ask for; None takes what they look like.
        order: The classes of an ordinal task, from the least to the most.
        time, event: Columns of a table for the tasks of risk and survival, in place of
            `label`; see `datasets.load`.
        metric: The one that validation watches, or None for the task's first.
        ignore: Columns that are left out.
        groups: Column whose rows of one value stay on one side of a split.
        scale: How modalities are scaled; see `datasets.load`. One whose encoder looks
            things up is taken as it is.
        modalities: What the modalities of a table are made of.
        group_by: How the columns of a table make modalities where `modalities` does
            not say it: by `"kind"` or by the `"prefix"` of their names.
        stream: Whether the files of a table are read batch by batch.
        arguments: Of the builder.
        usual_baselines: Whether to compare with concatenation, each modality alone
            and their average.
        baselines: Further ones by name: the same model with other arguments.
    """

    __pydantic_config__ = schema.STRICT

    name: Text = field(metadata={schema.NOT_GIVEN: True})
    builder: Text = "FusionClassifier"
    dataset: Text
    label: Labels = "y"
    task: TaskName | None = None
    order: Order = ()
    time: Text | None = None
    event: Text | None = None
    metric: Text | None = None
    ignore: schema.Texts = ()
    groups: Text | None = None
    scale: Scaling = AUTO
    modalities: Modalities = field(default_factory=dict)
    group_by: GroupBy | None = None
    stream: Flag = False
    arguments: Table = field(default_factory=dict)
    usual_baselines: Flag = True
    baselines: Baselines = field(default_factory=dict)
    split: Split = Split()
    training: Training = Training()


R = TypeVar("R", bound=Recipe)


def read(name: str) -> Recipe:
    """The recipe of this name, in this folder, or in this `.toml` file.

    Raises:
        ValueError: If there is no such recipe, if it is not TOML, if it has a key
            that no recipe has, or a value of another kind.
    """
    path = file_of(name)
    return parse(path, Recipe, _own_name(path.resolve()))


def _own_name(path):
    """A file beside a recipe, such as its ablation, has both names."""
    if path.name == RECIPE:
        return path.parent.name
    beside = (path.parent / RECIPE).is_file()
    return f"{path.parent.name}-{path.stem}" if beside else path.stem


def parse(path: Path, kind: type[R], name: str) -> R:
    """What a TOML file with at least a recipe's keys says, checked and filled in.

    Args:
        path: The file.
        kind: `Recipe`, or a dataclass made of it that has further keys.
        name: What the recipe is called.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a TOML file: {error}") from error
    if "name" in given:
        raise InputError(f"{path}: a recipe is called by its folder; leave out `name`.")
    recipe = schema.read(kind, given | {"name": name}, str(path))
    trust.check_layers({"own": recipe.arguments, "all": recipe.baselines}, f"{path}")
    trust.check_tokenizers(recipe.modalities, path.parent, f"{path}")
    for arguments in (recipe.arguments, *recipe.baselines.values()):
        trust.check_backbones(arguments.get("encoders"), path.parent, f"{path}")
    _check_validation(recipe, path)
    builder = find("builder", recipe.builder, zoo.builders())
    if not builder.record.independent_rows:
        raise InputError(
            f"{path}: the rows of a recipe are independent, but {recipe.builder} "
            "classifies the nodes of one graph: train it with `fit` on a "
            "keras_fusion.graphs.FullGraph."
        )
    return recipe


def _check_validation(recipe, path):
    """Nothing may be chosen by rows that train."""
    if not recipe.split.train_on_validation:
        return
    if recipe.training.patience:
        raise InputError(
            f"{path}: no rows are left to stop by where those that validate train, "
            "too: set patience = 0 and the epochs, or leave out train_on_validation."
        )
    if recipe.training.calibrate or recipe.training.coverage:
        raise InputError(
            f"{path}: `calibrate` and `coverage` need rows that did not train: leave "
            "out train_on_validation."
        )


def file_of(name: str) -> Path:
    """The file of the recipe of this name, in this folder, or that is this file."""
    path = Path(name)
    if path.is_dir():
        path = path / RECIPE
    if path.is_file():
        return path
    known = {n: published.folder() / n / RECIPE for n in published.names()}
    promoted = Path("zoo").glob(f"*/{RECIPE}")  # outside a checkout, too
    return find("recipe", name, known | {path.parent.name: path for path in promoted})


def changed(recipe: R, **changes) -> R:
    """The recipe with other values of `Recipe` or `Training`, where they are not None.

    Another data set gets none of `OF_THE_DATA`, which was chosen for the recipe's own.

    Raises:
        ValueError: If a value is of another kind.
    """
    given = plain(recipe)
    if changes.get("dataset") is not None:
        given = {k: v for k, v in given.items() if k not in OF_THE_DATA}
    for key, value in changes.items():
        if value is not None:
            (given["training"] if key in given["training"] else given)[key] = value
    return schema.read(type(recipe), given, recipe.name)


def plain(recipe: Recipe) -> dict:
    """The recipe as JSON knows it."""
    return dataclasses.asdict(recipe)


def load_data(
    recipe: Recipe,
    seed: int,
    split: str | None = None,
    preprocessor: datasets.Preprocessor | None = None,
) -> datasets.Dataset:
    """The recipe's data set, split by `seed` and as `split` says (`datasets.load`)."""
    how = dataclasses.asdict(recipe.split)
    rule = how.pop("by")
    encoders = recipe.arguments.get("encoders")
    raw = of_raw_values(encoders)
    scale = recipe.scale if isinstance(recipe.scale, dict) else {REST: recipe.scale}
    further = {
        "order": recipe.order,
        "time": recipe.time,
        "event": recipe.event,
        "groups": recipe.groups,
        "modalities": recipe.modalities,
        "group_by": recipe.group_by,
        "stream": recipe.stream,
        "preprocessor": preprocessor,
        "tokenizers": presets(encoders),
    }
    return datasets.load(
        recipe.dataset,
        seed=seed,
        label=recipe.label,
        scale=dict.fromkeys(raw, "none") | scale,
        ignore=recipe.ignore,
        task=recipe.task,
        split=split or rule,
        **{key: value for key, value in further.items() if value},
        **how,
    )
