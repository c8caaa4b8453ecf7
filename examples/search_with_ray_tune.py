"""Ray Tune searches which fusion and how deep, in the space of `FusionHyperModel`.

    pip install "keras-fusion[torch,tuning]" "ray[tune]"
    python examples/search_with_ray_tune.py

Ray Tune draws a value for every hyperparameter. Those that are not active under the
fusion that it drew are ignored.
"""

import keras_tuner
import numpy as np
from ray import tune

from keras_fusion.tuning import FusionHyperModel

SHAPES = {"shape": (8,), "texture": (5,)}
SPACE = {"fusion": ["Summation", "GatedMultimodalUnit"], "units": [8, 16]}


def hypermodel():
    return FusionHyperModel("FusionClassifier", SHAPES, classes=3, space=SPACE)


def domains(model):
    """The space as Ray Tune has it."""
    hp = keras_tuner.HyperParameters()
    model.draw(hp)  # makes all hyperparameters known
    return {p.name: domain(p) for p in hp.space}


def domain(p):
    if getattr(p, "step", 1) is None and isinstance(p.default, float):  # a range
        draw = tune.loguniform if p.sampling == "log" else tune.uniform
        return draw(p.min_value, p.max_value)
    return tune.choice([type(p.default)(value) for value in p.values])


def point(config):
    """The hyperparameters of one configuration of Ray Tune's."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(config)
    return hp


def accuracy(config, epochs):
    """Validation accuracy of what the model builds of a point, on made-up data."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    inputs = {
        name: rng.normal(size=(120, *shape)) + labels[:, None]
        for name, shape in SHAPES.items()
    }
    built = hypermodel().build(point(config))
    fitted = built.fit(inputs, labels, validation_split=0.3, epochs=epochs, verbose=0)
    return fitted.history["val_accuracy"][-1]


def main(trials=10, epochs=5):
    """Ray Tune's results for the space."""
    tuner = tune.Tuner(
        lambda config: {"accuracy": accuracy(config, epochs)},
        param_space=domains(hypermodel()),
        tune_config=tune.TuneConfig(metric="accuracy", mode="max", num_samples=trials),
    )
    best = tuner.fit().get_best_result()
    print(f"{best.metrics['accuracy']:.3f}", best.config)
    return best


if __name__ == "__main__":
    main()
