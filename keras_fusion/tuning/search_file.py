"""A search: one TOML file, a recipe with ranges and a budget."""

import tomllib
from pathlib import Path

from keras_fusion.experiments import recipe as recipes
from keras_fusion.tuning.space import TRAINING

FILE = "search.toml"
TUNERS = ("hyperband", "random", "bayesian")
DEFAULTS = recipes.DEFAULTS | {
    "space": {},
    "search": {"tuner": "hyperband", "trials": 30, "minutes": None, "seed": 0},
}


def read(name: str) -> dict:
    """The search in this folder or `.toml` file.

    Returns:
        dict with the keys of `DEFAULTS`, what the file leaves out filled in, and
        `"name"`.

    Raises:
        ValueError: If there is no such file, if it is not TOML, or has a key or value
            that no search has, or that a search would not heed.
    """
    path = Path(name)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise ValueError(f"There is no search {name}: expected a folder with {FILE}.")
    search = recipes.parse(path, DEFAULTS)
    _check_heeded(path, search)
    check_budget(search["search"])
    path = path.resolve()
    own = path.stem if path.name != FILE else path.parent.name
    return search | {"name": own}


def changed(search: dict, *, epochs: int | None = None, **budget) -> dict:
    """The search with other `epochs`, `trials`, `minutes`, `tuner` or `seed`.

    What is None stays as it is.
    """
    search = recipes.changed(search, epochs=epochs)
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
