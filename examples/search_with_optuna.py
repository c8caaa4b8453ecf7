"""Optuna searches which fusion and how deep, in the space of `FusionHyperModel`.

    pip install "keras-fusion[torch,tuning]" optuna
    python examples/search_with_optuna.py

Optuna is asked for the hyperparameters that are active under the fusion that it drew,
and the hypermodel builds a model of them.
"""

import keras_tuner
import numpy as np
import optuna

from keras_fusion.tuning import FusionHyperModel

SHAPES = {"shape": (8,), "texture": (5,)}
SPACE = {"fusion": ["Summation", "GatedMultimodalUnit"], "units": [8, 16]}


def suggest(trial, model):
    """Optuna's suggestion for one point of the space."""
    hp = keras_tuner.HyperParameters()
    model.draw(hp)  # makes all hyperparameters known
    for p in hp.space:
        if not hp.is_active(p):
            continue
        if getattr(p, "step", 1) is None and isinstance(p.default, float):  # a range
            log = p.sampling == "log"
            value = trial.suggest_float(p.name, p.min_value, p.max_value, log=log)
        else:
            values = [type(p.default)(value) for value in p.values]
            value = trial.suggest_categorical(p.name, values)
        hp.values[p.name] = value
    return hp


def accuracy(model, hp, epochs):
    """Validation accuracy of what the model builds of a point, on made-up data."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    inputs = {
        name: rng.normal(size=(120, *shape)) + labels[:, None]
        for name, shape in SHAPES.items()
    }
    built = model.build(hp)
    fitted = built.fit(inputs, labels, validation_split=0.3, epochs=epochs, verbose=0)
    return fitted.history["val_accuracy"][-1]


def main(trials=10, epochs=5):
    """Optuna's study of the space."""
    model = FusionHyperModel("FusionClassifier", SHAPES, classes=3, space=SPACE)
    study = optuna.create_study(direction="maximize")
    study.optimize(lambda t: accuracy(model, suggest(t, model), epochs), trials)
    print(f"{study.best_value:.3f}", study.best_params)
    return study


if __name__ == "__main__":
    main()
