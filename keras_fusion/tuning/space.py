"""The search space: which fusion, how early and how deep, and how it is trained.

A space maps a hyperparameter's name to its range `[low, high]`, and `fusion` to the
operators to choose from.
"""

import math
from numbers import Real

from keras_fusion import layers
from keras_fusion.common.errors import InputError

CONCATENATION, LATE = "Concatenation", "late average"
ONLY = "only-"
EPOCHS = "tuner/epochs"  # where a tuner says how long a trial trains
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
_POSITIVE = ("depth", *_LOGARITHMIC)
_STEPS = 5  # between the ends of a range that is no logarithm


def alone(fusion: str) -> str | None:
    """The modality that this `fusion` is about, where it is about one alone."""
    return fusion.removeprefix(ONLY) if fusion.startswith(ONLY) else None


def checked(space: dict) -> dict:
    """The space with what it leaves out filled in; `fusion` is None for all that fit.

    Raises:
        ValueError: If a name is unknown, a range is upside down, or there is nothing
            to choose from.
    """
    unknown = [name for name in space if name not in (*RANGES, "fusion")]
    if unknown:
        raise InputError(
            f"Unknown hyperparameters {unknown}: a space has {['fusion', *RANGES]}."
        )
    names = space.get("fusion")
    if names is not None:
        if not isinstance(names, (list, tuple)) or not names:
            raise InputError(
                f"fusion must list operators to choose from; received {names!r}."
            )
        for name in names:
            layers.get(name)
    ranges = {name: space.get(name, default) for name, default in RANGES.items()}
    for name, values in ranges.items():
        _check_range(name, values)
    return {"fusion": names, **ranges}


def draw(hp, space: dict, operators: list[str], baselines: dict[str, tuple]) -> dict:
    """Asks `hp` for one point of the space.

    Args:
        hp: `keras_tuner.HyperParameters`.
        space: From `checked`, but for what the builder does not take.
        operators: Names of those to choose from.
        baselines: What else `fusion` may be (what fusion has to beat), with the
            hyperparameters that are nothing to it.

    Returns:
        `fusion` (an operator's name, `"late average"` or `"only-<modality>"`), `config`
        for the operator, and `arguments` and `training` by name.
    """
    fusion = hp.Choice("fusion", [*operators, *baselines])
    drawn = {}
    for name in (name for name in RANGES if name in space):
        others = (b for b, without in baselines.items() if name not in without)
        under = [*operators, *others]
        if len(under) == len(operators) + len(baselines):
            drawn[name] = _draw(hp, name, space[name])
            continue
        with hp.conditional_scope("fusion", under):
            value = _draw(hp, name, space[name])
        if fusion in under:
            drawn[name] = value
    width = space["units"][0] if "units" in space else 0
    configs = {name: _draw_config(hp, name, width) for name in operators}
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
        value = hp.Float(name, low, high, sampling="log")
        return float(f"{value:.4g}")  # as it is in a worker, which is told a float32
    # Listed, since keras-tuner's own steps come out as 0.30000000000000004.
    steps = [round(low + i * (high - low) / _STEPS, 6) for i in range(_STEPS + 1)]
    return hp.Choice(name, steps, ordered=True)


def _draw_config(hp, operator, width):
    """The operator's own arguments, active under it alone; "none" is None.

    Every width drawn is a multiple of the least one; so heads share all or none.
    """
    config = {}
    with hp.conditional_scope("fusion", [operator]):
        for argument, values in layers.get(operator).choices.items():
            if argument == "num_heads":
                values = [heads for heads in values if width % heads == 0]
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
        or not all(map(math.isfinite, values))
    ):
        kind = "whole numbers" if name in _WHOLE else "numbers"
        raise InputError(
            f"{name} must be [low, high], two {kind}; received {values!r}."
        )
    low, high = values
    if low > high:
        raise InputError(f"{name} has its range upside down: {low} > {high}.")
    if low < 0 or (name in _POSITIVE and low == 0):
        raise InputError(f"{name} must be positive; received {values!r}.")
    if name == "units":
        _check_doubles(low, high)


def _check_doubles(low, high):
    reached = low
    while reached < high:
        reached *= 2
    if reached != high:
        raise InputError(
            f"units are doubled from the lowest to the highest, so [{low}, {high}] "
            f"would end at {reached // 2}: take [{low}, {reached}]."
        )
