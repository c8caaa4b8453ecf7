"""One name for all tasks: labels of each under `fit`, saved and served."""

import keras
import numpy as np
import pytest

from keras_fusion import survival, zoo
from keras_fusion.zoo.fusion_model import TASKS
from keras_fusion.zoo.parts.linear_path import parts_of
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import VECTORS, draw, randomize

ROWS = 8
RNG = np.random.default_rng(0)
TIMES, EVENTS = RNG.exponential(size=ROWS), np.arange(ROWS) % 3 > 0
LABELS = {
    "classification": np.arange(ROWS) % 3,
    "multilabel": RNG.integers(0, 2, (ROWS, 3)),
    "ordinal": np.arange(ROWS) % 3,
    "regression": RNG.normal(size=(ROWS, 3)).astype("float32"),
    "risk": np.stack([TIMES, EVENTS], axis=1).astype("float32"),
    "survival": survival.in_intervals(TIMES, EVENTS, [0.3, 1.0]),
}
SIZES = dict.fromkeys(TASKS, 3) | {"risk": 1}
KINDS = dict.fromkeys(TASKS, "probabilities") | {
    "multilabel": "label_probabilities",
    "regression": "predictions",
    "risk": "predictions",
}


@pytest.mark.parametrize("task", TASKS)
def test_each_task_trains_and_is_served(task, tmp_path):
    inputs, labels = draw(VECTORS, rows=ROWS), LABELS[task]
    size = None if task == "risk" else SIZES[task]
    model = zoo.FusionModel(VECTORS, task, size, units=4, heads="average", dropout=0.0)
    model.compile(keras.optimizers.SGD(0.05), loss=zoo.task_loss(task))
    before = model.evaluate(inputs, labels, verbose=0)
    after = model.fit(inputs, labels, epochs=20, batch_size=ROWS, verbose=0)
    assert after.history["loss"][-1] < after.history["loss"][0]
    assert model.evaluate(inputs, labels, verbose=0) < before
    assert model.output_shape == (None, SIZES[task])
    if task == "risk":
        assert parts_of(model) == (None, None)
    known = {"task": task} if task == "ordinal" else {}
    served = zoo.deployable(model, {}, **known)
    served.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")(inputs)
    assert_close(again[KINDS[task]], model(inputs))
    assert ("median_class" in again) == (task == "ordinal")


def test_several_outputs_share_one_fusion(tmp_path):
    task = {"grade": ("ordinal", 3), "age": "regression"}
    model = zoo.FusionModel(VECTORS, task, units=4, modality_mask=True)
    inputs = draw(VECTORS, rows=ROWS) | {"modality_mask": np.ones((ROWS, 3), bool)}
    labels = {"grade": LABELS["ordinal"], "age": LABELS["regression"][:, :1]}
    model.compile("sgd", loss=zoo.task_loss(task))
    loss = model.fit(inputs, labels, verbose=0).history["loss"][0]
    assert np.isfinite(loss)
    model.save_weights(tmp_path / "model.weights.h5")
    weights = str(tmp_path / "model.weights.h5")
    alike = zoo.FusionModel(VECTORS, task, units=4, weights=weights)
    found = alike({name: inputs[name] for name in VECTORS})
    assert found.keys() == task.keys()
    served = zoo.deployable(model, {})(inputs)
    for name in task:
        assert_close(found[name], model(inputs)[name])
        assert_close(served[name], model(inputs)[name])


def test_it_is_the_classifier():
    one = randomize(zoo.FusionModel(VECTORS, outputs=3, units=4))
    other = randomize(zoo.FusionClassifier(VECTORS, 3, units=4))
    inputs = draw(VECTORS)
    np.testing.assert_array_equal(to_numpy(one(inputs)), to_numpy(other(inputs)))


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="No task 'ordinl'. Did you mean 'ordinal'"):
        zoo.FusionModel(VECTORS, "ordinl")
    with pytest.raises(ValueError, match="'ordinal' expects outputs.*received None"):
        zoo.FusionModel(VECTORS, "ordinal")
    with pytest.raises(ValueError, match="task 'risk' has 1 output; received 2"):
        zoo.FusionModel(VECTORS, "risk", 2)
    with pytest.raises(ValueError, match="in place of classes; received classes=3"):
        zoo.FusionModel(VECTORS, classes=3)
    with pytest.raises(ValueError, match="letters, digits and _; received 'how bad"):
        zoo.FusionModel(VECTORS, {"how bad?": "regression"})
    with pytest.raises(ValueError, match="no heads; received .*heads='train'"):
        zoo.FusionModel(VECTORS, {"age": "regression"}, heads="train")
