"""A search: one TOML file, a recipe with ranges and a budget."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Strict

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import recipes, schema, trust
from keras_fusion.tuning.space import RANGES, TRAINING

FILE = "search.toml"


Tuner = Annotated[
    Literal["auto", "hyperband", "random", "bayesian"],
    schema.said("auto, hyperband, random or bayesian"),
]
Minutes = Annotated[float, Strict(), schema.said("a positive number", lambda x: x > 0)]
Seed = Annotated[int, Strict(), schema.said("a whole number from 0", lambda x: x >= 0)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget:
    """What a search may cost, and who decides.

    Attributes:
        tuner: `"auto"` takes hyperband where there is time for few full trainings, and
            else random search.
        trials: Full trainings; a shorter one counts as the part that it is.
        minutes: All that the search may take; None has no bound.
        seed: Of the points that are drawn.
    """

    __pydantic_config__ = schema.STRICT

    tuner: Tuner = "auto"
    trials: schema.Count = 30
    minutes: Minutes | None = None
    seed: Seed = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Search(recipes.Recipe):
    """A recipe with ranges and a budget."""

    __pydantic_config__ = schema.STRICT

    space: schema.Table = dataclasses.field(default_factory=dict)
    search: Budget = Budget()


plain = recipes.plain


def read(name: str) -> Search:
    """The search in this folder or `.toml` file, or one around the recipe in it.

    A file without ranges and budget is a recipe.

    Raises:
        ValueError: If there is no such file, if it is not TOML, or has a key or value
            that no search has, or that a search would not heed.
    """
    path = Path(name)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"There is no search {name}: expected a folder with {FILE}.")
    whole = path.resolve()
    own = whole.stem if whole.name != FILE else whole.parent.name
    search = recipes.parse(path, Search, own)
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    if given.keys() & {"space", "search"}:
        _check_heeded(path, given.get("training", {}))
    else:
        search = search_for(search)
    if search.split.train_on_validation:
        raise InputError(
            f"{path}: a search chooses by validation, so it cannot "
            "train_on_validation; what --promote writes does."
        )
    meant = "start the search in its folder"
    trust.check_path(search.dataset, path.parent, str(path), meant)
    return search


def search_for(recipe: recipes.Recipe) -> Search:
    """A search around a recipe, whose arguments that are searched are left out."""
    own, searched = plain(recipe), ("fusion", *RANGES)
    fixed = {k: v for k, v in recipe.arguments.items() if k not in searched}
    return schema.read(Search, own | {"arguments": fixed}, recipe.name)


def recipe_of(search: Search, **drawn) -> recipes.Recipe:
    """The recipe of one trial: the search's own, with what the trial drew."""
    own = {k: v for k, v in plain(search).items() if k not in ("space", "search")}
    return schema.read(recipes.Recipe, own | drawn, search.name)


def changed(search: Search, *, epochs: int | None = None, **budget) -> Search:
    """The search with other `epochs`, `trials`, `minutes`, `tuner` or `seed`.

    What is None stays as it is.
    """
    given = plain(recipes.changed(search, epochs=epochs))
    given["search"] |= {k: v for k, v in budget.items() if v is not None}
    return schema.read(Search, given, search.name)


def _check_heeded(path, training):
    for name in TRAINING:
        if name in training:
            raise InputError(
                f"{path}: {name} is searched, so it has no place in [training]; in "
                "[space] give it a range; where low equals high, the value is fixed."
            )
