"""A search: one TOML file, a recipe with ranges and a budget."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from keras_fusion.experiments import recipe as recipes
from keras_fusion.experiments import schema
from keras_fusion.tuning.space import TRAINING

FILE = "search.toml"
TUNERS = ("hyperband", "random", "bayesian")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget:
    """How a search goes on; `check_budget` says what fits."""

    __pydantic_config__ = schema.STRICT

    tuner: Any = "hyperband"
    trials: Any = 30
    minutes: Any = None
    seed: Any = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Search(recipes.Recipe):
    """A recipe with ranges and a budget."""

    __pydantic_config__ = schema.STRICT

    space: schema.Table = dataclasses.field(default_factory=dict)
    search: Budget = Budget()


DEFAULTS = recipes.plain(Search(name="", dataset=""))


def read(name: str) -> dict:
    """The search in this folder or `.toml` file.

    Returns:
        dict with the fields of `Search`.

    Raises:
        ValueError: If there is no such file, if it is not TOML, or has a key or value
            that no search has, or that a search would not heed.
    """
    path = Path(name)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"There is no search {name}: expected a folder with {FILE}.")
    whole = path.resolve()
    own = whole.stem if whole.name != FILE else whole.parent.name
    search = recipes.plain(recipes.parse(path, Search, own))
    _check_heeded(path, search)
    check_budget(search["search"])
    return search


def recipe_of(search: dict, **drawn) -> recipes.Recipe:
    """The recipe of one trial: the search's own, with what the trial drew."""
    own = {k: v for k, v in search.items() if k not in ("space", "search")}
    return schema.read(recipes.Recipe, own | drawn, search["name"])


def changed(search: dict, *, epochs: int | None = None, **budget) -> dict:
    """The search with other `epochs`, `trials`, `minutes`, `tuner` or `seed`.

    What is None stays as it is.
    """
    search = search | recipes.plain(recipes.changed(recipe_of(search), epochs=epochs))
    given = {k: v for k, v in budget.items() if v is not None}
    search = search | {"search": search["search"] | given}
    check_budget(search["search"])
    return search


def _check_heeded(path, search):
    given = tomllib.loads(path.read_text()).get("training", {})
    for name in TRAINING:
        if name in given:
            raise ValueError(
                f"{path}: {name} is searched, so it has no place in [training]; in "
                "[space] give it a range, or twice the same number."
            )
    if search["split"]["train_on_validation"]:
        raise ValueError(
            f"{path}: a search chooses by validation, so it cannot "
            "train_on_validation; what --promote writes does."
        )


def check_budget(budget: dict) -> None:
    """Raises a ValueError unless these can be the settings of a search."""
    if budget["tuner"] not in TUNERS:
        raise ValueError(
            f"tuner must be one of {', '.join(TUNERS)}; received {budget['tuner']!r}."
        )
    trials, minutes, seed = (budget[k] for k in ("trials", "minutes", "seed"))
    if type(trials) is not int or trials < 1:
        raise ValueError(f"trials must be a whole number from 1; received {trials!r}.")
    if minutes is not None and not (type(minutes) in (int, float) and minutes > 0):
        raise ValueError(f"minutes must be a positive number; received {minutes!r}.")
    if type(seed) is not int or seed < 0:
        raise ValueError(f"seed must be a whole number from 0; received {seed!r}.")
