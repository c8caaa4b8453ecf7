"""A modality may be called as a person likes."""

import keras
import numpy as np
import pytest

from keras_fusion import zoo
from tests.conftest import assert_close
from tests.zoo.samples import draw, randomize

REFUSED = "sepal length (cm)|größe|class|self|None|-x|a:b|%|a/b|a.b".split("|")
HOSTILE = (*REFUSED, "mean", "mean_1", "fusion", "predictions", "head", "modality")
ARGUMENTS = {
    "FusionClassifier": {"depth": 2},
    "LateFusionClassifier": {},
    "UnimodalClassifier": {"modality": "%"},
    "MutualFormerClassifier": {"fusion": "JointAttention", "readout": "token"},
    "MutualFormerSegmenter": {"fusion": "Summation"},
    "TwoStreamVideoClassifier": {"encoder_depth": 1},
    "GraphNodeClassifier": {"fusion_stage": "late"},
}
RANKS = {
    "MutualFormerSegmenter": (16, 16, 1),
    "TwoStreamVideoClassifier": (2, 8, 8, 1),
    "GraphNodeClassifier": (3,),
    "MutualFormerClassifier": (8, 8, 1),
}


def build(builder, names, **arguments):
    shapes = dict.fromkeys(names, RANKS.get(builder, (4, 3)))
    return zoo.builders()[builder](shapes, 2, units=4, **arguments), shapes


@pytest.mark.only_on("torch", "tensorflow", reason="JAX knows no names")
@pytest.mark.parametrize("builder", ARGUMENTS)
def test_any_name_in_any_builder(builder, tmp_path):
    names = HOSTILE[::3] if len(RANKS.get(builder, ())) > 2 else HOSTILE  # for speed
    model, shapes = build(builder, names, **ARGUMENTS[builder])
    randomize(model)
    inputs = draw({m: shapes[m] for m in model.input if m in shapes})
    if "edge_index" in model.input:
        inputs["edge_index"] = np.array([[0, 1], [1, 0]], "int32")
    before = model(inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert list(loaded.input) == list(model.input)  # as the person wrote them
    assert_close(loaded(inputs), before)


def test_training_takes_the_persons_own_names():
    model, shapes = build("FusionClassifier", REFUSED, modality_mask=True)
    model.compile("sgd", "sparse_categorical_crossentropy")
    inputs = draw(shapes) | {"modality_mask": np.ones((3, len(REFUSED)), bool)}
    start = model.get_weights()
    model.fit(inputs, np.zeros(3), verbose=0)
    assert any(np.any(a != b) for a, b in zip(start, model.get_weights(), strict=True))
    assert model.predict(inputs, verbose=0).shape == (3, 2)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("builder", ["FusionClassifier", "TwoStreamVideoClassifier"])
def test_no_name_collides_with_the_models_own_layers(builder):
    """Each layer of a model, and each beginning of its name, as a modality's name."""
    model, _ = build(builder, ("a", "b"), encoder_depth=1, modality_mask=True)
    parts = [layer.name.split("_") for layer in model.layers]
    names = {"_".join(p[: i + 1]) for p in parts for i in range(len(p))}
    taken = sorted(names - {"modality_mask"})
    assert build(builder, taken, encoder_depth=1, modality_mask=True)
