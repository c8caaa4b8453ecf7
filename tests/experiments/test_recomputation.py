"""Operators that compute again for the gradients train as those that do not."""

import keras
import numpy as np
import pytest

from keras_fusion import layers, zoo
from keras_fusion.experiments import training
from keras_fusion.experiments.recomputation import recomputing
from tests.conftest import assert_close
from tests.experiments import runs

DRAWS = {"dropout": 0.4, "stochastic_depth": 0.4}  # by two seeds
FUSIONS = {
    "draws": {"class_name": "JointAttention", "config": DRAWS | {"seed": 1}},
    "adds a loss": {"class_name": "MixtureOfExpertsFusion", "config": {"balance": 0.5}},
}


def trained(make, fusion):
    """Losses and weights of two steps on sets of tokens, some absent."""
    keras.utils.set_random_seed(0)
    shapes = {"a": (5, 4), "b": (5, 4)}
    options = {"units": 4, "encoder_depth": 0, "depth": 2, "modality_mask": True}
    model = make(lambda: zoo.FusionClassifier(shapes, 3, fusion=fusion, **options))
    rng = np.random.default_rng(0)
    inputs = {n: rng.normal(size=(8, *s)).astype("float32") for n, s in shapes.items()}
    inputs["modality_mask"] = np.arange(16).reshape(8, 2) % 3 > 0
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy())
    labels = np.arange(8) % 3
    losses = [model.train_on_batch(inputs, labels) for _ in range(2)]
    return [np.array(losses), *model.get_weights()]


@pytest.mark.parametrize("fusion", FUSIONS.values(), ids=list(FUSIONS))
def test_steps_are_those_of_a_model_that_keeps_all(fusion):
    plain = trained(lambda build: build(), fusion)
    for x, y in zip(trained(recomputing, fusion), plain, strict=True):
        assert_close(x, y)


@pytest.mark.only_on("torch", reason="torch runs the call again, others the graph")
@pytest.mark.parametrize("recompute", [False, True])
def test_a_recipe_says_so(recompute, tmp_path, monkeypatch):
    recipe, data = runs.load(
        runs.write(tmp_path), epochs=1, patience=0, recompute=recompute
    )
    steps, fuse = [], layers.AdaptiveWeighting.fuse

    def counted(self, inputs, present, query=None, training=None):
        steps.extend([1] if training else [])
        return fuse(self, inputs, present, query, training)

    monkeypatch.setattr(layers.AdaptiveWeighting, "fuse", counted)
    training.fit(recipe, data, 0, tmp_path / "run")
    assert len(steps) == (1 + recompute) * (len(data.train.labels) // 16)
