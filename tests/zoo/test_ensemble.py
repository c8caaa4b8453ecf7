from functools import partial

import numpy as np
import pytest

from keras_fusion import zoo
from keras_fusion.datasets.standardization import measure
from keras_fusion.export import load
from keras_fusion.layers import EnsembleAverage
from keras_fusion.ops import median_class
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import VECTORS, absent_as, draw, randomize

MASK = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]], bool)


def member(seed, **kwargs):
    arguments = {"fusion": "SoftmaxGating", "units": 4, "modality_mask": True} | kwargs
    return randomize(zoo.FusionClassifier(VECTORS, 3, **arguments), seed)


def test_an_ensemble_is_the_weighted_mean_of_its_members(tmp_path):
    members = [member(0, heads="average"), member(1, fusion="ModalityAttention")]
    model = zoo.ensemble(members, [3, 1])
    inputs = absent_as(np.nan, draw(VECTORS, rows=4), MASK)
    model.save(tmp_path / "model.keras")
    answers = [to_numpy(x(inputs)) for x in members]
    weights = [zoo.modality_weights(x, inputs) for x in members]
    for found in (model, load(tmp_path / "model.keras")):
        assert found.output_names == ["predictions"]
        assert_close(found(inputs), (3 * answers[0] + answers[1]) / 4)
        assert_close(
            zoo.modality_weights(found, inputs), (3 * weights[0] + weights[1]) / 4
        )


def test_each_member_keeps_its_own_standardization():
    rows = [draw(VECTORS, rows=9, seed=seed) for seed in (0, 1)]
    members = [zoo.deployable(member(seed), measure(rows[seed])) for seed in range(2)]
    model = zoo.ensemble(members)
    inputs = absent_as(np.nan, draw(VECTORS, rows=4, seed=2), MASK)
    found = model(inputs)
    assert found.keys() == {"probabilities", "modality_weights"}
    for name, x in found.items():
        assert_close(x, sum(to_numpy(m(inputs)[name]) for m in members) / 2)


def test_uncertainty_is_the_members_own_and_that_they_differ():
    members = [zoo.deployable(member(seed), {}) for seed in range(3)]
    model = zoo.ensemble(members, [1, 2, 1], uncertainty="entropy")
    inputs = absent_as(np.nan, draw(VECTORS, rows=4), MASK)
    found = {name: to_numpy(x) for name, x in model(inputs).items()}
    each = [to_numpy(m(inputs)["probabilities"]).astype("float64") for m in members]

    def entropy(p):
        return -(p * np.log(p)).sum(axis=-1) / np.log(3)

    mean = np.average(each, axis=0, weights=[1, 2, 1])
    own = np.average([entropy(p) for p in each], axis=0, weights=[1, 2, 1])
    assert_close(found["uncertainty"], entropy(mean).astype("float32"))
    expected = entropy(mean) - own
    np.testing.assert_allclose(found["disagreement"], expected, atol=1e-5)
    assert expected[0] > 0.01
    alike = zoo.ensemble(members[:1] * 2, uncertainty="confidence")(inputs)
    assert not to_numpy(alike["disagreement"]).any()
    with pytest.raises(ValueError, match="members whose outputs have names"):
        zoo.ensemble([member(0)], uncertainty="entropy")


def test_classes_in_an_order_have_the_median_of_the_mean():
    models = [
        randomize(zoo.FusionModel(VECTORS, "ordinal", 5, units=units))
        for units in (4, 6)
    ]
    members = [zoo.deployable(x, {}, task="ordinal") for x in models]
    inputs = draw(VECTORS, rows=40)
    found = zoo.ensemble(members)(inputs)
    mean = sum(to_numpy(x(inputs)) for x in models) / 2
    np.testing.assert_array_equal(
        to_numpy(found["median_class"]), to_numpy(median_class(mean))
    )
    averaged = sum(to_numpy(m(inputs)["median_class"]) for m in members) / 2
    assert (averaged != to_numpy(found["median_class"])).any()


def test_a_member_without_its_modality_is_left_out():
    one = randomize(zoo.UnimodalClassifier({"b": (3,)}, 3, units=4, modality_mask=True))
    all_three = member(0)
    model = zoo.ensemble([one, all_three])
    assert list(model.input) == ["b", "a", "c", "modality_mask"]
    inputs = draw(VECTORS, rows=4)
    names = list(VECTORS)
    mask = MASK[:, [names.index(m) for m in ("b", "a", "c")]]
    alone = to_numpy(one({"b": inputs["b"], "modality_mask": mask[:, :1]}))
    fused = to_numpy(all_three(inputs | {"modality_mask": MASK}))
    expected = np.stack([*(alone + fused)[:2] / 2, fused[2], np.zeros(3)])
    assert_close(model(inputs | {"modality_mask": mask}), expected)


def test_its_modalities_may_have_any_name(tmp_path):
    shapes = dict.fromkeys(("rgb/left", "predictions", "size (cm)", "%"), (3,))
    one, *_ = shapes
    build = partial(zoo.FusionClassifier, classes=3, units=4, modality_mask=True)
    members = [randomize(build(shapes), 0), randomize(build({one: (3,)}), 1)]
    model = zoo.ensemble(members)
    inputs = draw(shapes) | {"modality_mask": np.ones((3, 4), bool)}
    assert list(model.input) == list(inputs)
    model.save(tmp_path / "model.keras")
    loaded = load(tmp_path / "model.keras")
    assert list(loaded.input) == list(inputs)
    assert_close(loaded.predict(inputs, verbose=0), model(inputs))


def test_an_ensemble_of_what_does_not_fit():
    for members in ([], [member(0), member(1, modality_mask=False)]):
        with pytest.raises(ValueError, match="at least one member, and all have"):
            zoo.ensemble(members)
    with pytest.raises(ValueError, match=r"a weight for each of 2 models.*\[1\]"):
        zoo.ensemble([member(0), member(1)], [1])
    with pytest.raises(ValueError, match=r"positive shares; received \[1, 0\]"):
        EnsembleAverage([1, 0])
