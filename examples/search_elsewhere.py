"""The space of FusionHyperModel in Optuna and in Ray Tune.

    pip install "keras-fusion[torch,tuning,ray]" optuna
    python examples/search_elsewhere.py

Both ask for the hyperparameters that are active under the fusion they drew, and train
what the model builds of them. Ray Tune's part needs `pip install "ray[tune]"`.
"""

import keras_tuner
import numpy as np

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
        if is_range(p):
            log = p.sampling == "log"
            value = trial.suggest_float(p.name, p.min_value, p.max_value, log=log)
        else:
            value = trial.suggest_categorical(p.name, listed(p))
        hp.values[p.name] = value
    return hp


def ray_space(model):
    """The same space as Ray Tune has it; inactive values are ignored."""
    from ray import tune

    hp = keras_tuner.HyperParameters()
    model.draw(hp)
    return {p.name: ray_domain(p, tune) for p in hp.space}


def ray_domain(p, tune):
    if not is_range(p):
        return tune.choice(listed(p))
    draw = tune.loguniform if p.sampling == "log" else tune.uniform
    return draw(p.min_value, p.max_value)


def point(config):
    """The hyperparameters of one configuration of Ray Tune's."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(config)
    return hp


def is_range(p):
    """Whether a hyperparameter is any number between two."""
    return getattr(p, "step", 1) is None and isinstance(p.default, float)


def listed(p):
    """All values that a hyperparameter may have."""
    return [type(p.default)(value) for value in p.values]


def accuracy(model, hp, epochs=5):
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


def with_optuna(model, trials=10, epochs=5):
    """Optuna's study of the space."""
    import optuna

    study = optuna.create_study(direction="maximize")
    study.optimize(lambda t: accuracy(model, suggest(t, model), epochs), trials)
    return study


def with_ray_tune(model, trials=10, epochs=5):
    """Ray Tune's results for the space."""
    from ray import tune

    def train(config):
        return {"accuracy": accuracy(model, point(config), epochs)}

    settings = tune.TuneConfig(metric="accuracy", mode="max", num_samples=trials)
    tuner = tune.Tuner(train, param_space=ray_space(model), tune_config=settings)
    return tuner.fit()


if __name__ == "__main__":
    fusion = FusionHyperModel("FusionClassifier", SHAPES, classes=3, space=SPACE)
    print(with_optuna(fusion).best_params)
    print(with_ray_tune(fusion).get_best_result().config)
