"""The search space: which fusion, how early and how deep, and how it is trained.

A space maps a hyperparameter's name to its range `[low, high]`, and `fusion` to the
operators to choose from.
"""

from numbers import Real

from keras_fusion import layers

LATE = "late average"
ONLY = "only-"
RANGES = {
    "encoder_depth": [0, 2],
    "depth": [1, 2],
    "units": [32, 128],
    "dropout": [0.0, 0.5],
    "modality_dropout": [0.0, 0.5],
    "learning_rate": [3e-4, 1e-2],
    "weight_decay": [1e-5, 1e-1],
}
_WHOLE = ("encoder_depth", "depth", "units")
_LOGARITHMIC = ("units", "learning_rate", "weight_decay")
TRAINING = ("learning_rate", "weight_decay")
_OF_FUSION = ("depth", "modality_dropout")  # what a single modality has no use for
_POSITIVE = ("depth", *_LOGARITHMIC)


def checked(space: dict) -> dict:
    """The space with what it leaves out filled in; `fusion` is None for all that fit.

    Raises:
        ValueError: If a name is unknown, a range is upside down, or there is nothing
            to choose from.
    """
    unknown = [name for name in space if name not in (*RANGES, "fusion")]
    if unknown:
        raise ValueError(
            f"Unknown hyperparameters {unknown}: a space has {['fusion', *RANGES]}."
        )
    names = space.get("fusion")
    if names is not None:
        if not isinstance(names, (list, tuple)) or not names:
            raise ValueError(
                f"fusion must list operators to choose from; received {names!r}."
            )
        for name in names:
            layers.get(name)
    ranges = {name: space.get(name, default) for name, default in RANGES.items()}
    for name, values in ranges.items():
        _check_range(name, values)
    return {"fusion": names, **ranges}


def draw(hp, space: dict, operators: list[str], bars: list[str]) -> dict:
    """Asks `hp` for one point of the space.

    Args:
        hp: `keras_tuner.HyperParameters`.
        space: From `checked`, but for what the builder does not take.
        operators: Names of those to choose from.
        bars: What else `fusion` may be: what fusion has to beat.

    Returns:
        `fusion` (an operator's name, `"late average"` or `"only-<modality>"`), `config`
        for the operator, and `arguments` and `training` by name.
    """
    fusion = hp.Choice("fusion", [*operators, *bars])
    names = [name for name in RANGES if name in space]
    drawn = {n: _draw(hp, n, space[n]) for n in names if n not in _OF_FUSION}
    with hp.conditional_scope("fusion", operators):
        deep = {n: _draw(hp, n, space[n]) for n in names if n in _OF_FUSION}
    if fusion in operators:
        drawn |= deep
    configs = {name: _draw_config(hp, name) for name in operators}
    return {
        "fusion": fusion,
        "config": configs.get(fusion, {}),
        "training": {name: drawn.pop(name) for name in TRAINING},
        "arguments": drawn,
    }


def _draw(hp, name, values):
    low, high = values
    if low == high:
        return hp.Fixed(name, low)
    if name == "units":
        return hp.Int(name, low, high, step=2, sampling="log")
    if name in _WHOLE:
        return hp.Int(name, low, high)
    if name in _LOGARITHMIC:
        return hp.Float(name, low, high, sampling="log")
    return hp.Float(name, low, high, step=(high - low) / 5)


def _draw_config(hp, operator):
    """The operator's own arguments, active under it alone; "none" is None."""
    config = {}
    with hp.conditional_scope("fusion", [operator]):
        for argument, values in layers.get(operator).choices.items():
            texts = ["none" if v is None else v for v in values]
            value = hp.Choice(f"{operator}.{argument}", texts)
            config[argument] = None if value == "none" else value
    return config


def _check_range(name, values):
    numbers = (int,) if name in _WHOLE else (Real,)
    if (
        not isinstance(values, (list, tuple))
        or len(values) != 2
        or not all(isinstance(v, numbers) and not isinstance(v, bool) for v in values)
    ):
        kind = "whole numbers" if name in _WHOLE else "numbers"
        raise ValueError(
            f"{name} must be [low, high], two {kind}; received {values!r}."
        )
    low, high = values
    if low > high:
        raise ValueError(f"{name} has its range upside down: {low} > {high}.")
    if low < 0 or (name in _POSITIVE and low == 0):
        raise ValueError(f"{name} must be positive; received {values!r}.")
