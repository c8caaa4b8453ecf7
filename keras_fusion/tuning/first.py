"""What is tried before anything is drawn: what everybody should have tried.

Concatenation, the builder's default, late average and each modality alone come first,
so that a search has something to compare with whenever it is stopped. Configurations
that were good on other data come next.
"""

import inspect
import json
from pathlib import Path

import keras_tuner

from keras_fusion import zoo
from keras_fusion.experiments.recipes import Training
from keras_fusion.tuning.hypermodel import FusionHyperModel
from keras_fusion.tuning.space import CONCATENATION, LATE, ONLY, TRAINING
from keras_fusion.zoo.parts.entrance import MODALITY_DROPOUT

START_POINTS = Path(__file__).parent / "start_points.json"


def points(fusion: FusionHyperModel) -> list[dict]:
    """Values by hyperparameter of each first trial, those that are in the space.

    What a point does not say is the default of the builder and of a recipe, or what is
    nearest to it in the space.
    """
    defaults = _defaults(fusion.builder)
    singles = [name for name in fusion.baselines if name.startswith(ONLY)]
    names = [CONCATENATION, defaults["fusion"], LATE, *singles]
    known = json.loads(START_POINTS.read_text())["points"]
    wanted = [defaults | {"fusion": name} for name in names]
    wanted += [defaults | point for point in known]
    there = {*fusion.operators, *fusion.baselines}
    found = [_nearest(fusion, w) for w in wanted if w["fusion"] in there]
    return [point for i, point in enumerate(found) if point not in found[:i]]


def _defaults(builder):
    parameters = inspect.signature(zoo.builders()[builder]).parameters
    defaults = {name: p.default for name, p in parameters.items()}
    if (
        defaults.get("modality_dropout", 0) is None
    ):  # since models of a search have masks
        defaults["modality_dropout"] = MODALITY_DROPOUT
    training = Training()
    return defaults | {name: getattr(training, name) for name in TRAINING}


def _nearest(fusion, wanted):
    """The active values of the point of the space that is nearest to this one."""
    hp = keras_tuner.HyperParameters()
    hp.values = {"fusion": wanted["fusion"]}
    fusion.draw(hp)
    return {
        p.name: _closest(p, wanted[p.name]) if p.name in wanted else hp.values[p.name]
        for p in hp.space
        if hp.is_active(p)
    }


def _closest(parameter, value):
    if isinstance(value, str):
        return value
    if getattr(parameter, "step", 1) is None:
        return min(max(value, parameter.min_value), parameter.max_value)
    found = min(parameter.values, key=lambda known: abs(known - value))
    return type(parameter.default)(found)  # keras-tuner lists whole numbers as floats
