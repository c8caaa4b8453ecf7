import keras
import numpy as np
import pytest
from scipy import special

from keras_fusion import zoo
from keras_fusion.calibration import calibrate
from keras_fusion.zoo.parts.deployable import heads_of
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, draw, randomise

ROWS = 400


def classifier(heads=None, sure=1.0):
    model = zoo.FusionClassifier(VECTORS, 3, fusion="Averaging", units=4, heads=heads)
    randomise(model)
    for head in heads_of(model):
        head.kernel.assign(head.kernel * sure)
        head.bias.assign(head.bias * sure)
    return model


def labels_of(probabilities, seed=0):
    """Labels drawn with just these probabilities."""
    draws = np.random.default_rng(seed).random((len(probabilities), 1))
    return (probabilities.cumsum(axis=1) < draws).sum(axis=1).clip(0, 2)


def loss(labels, probabilities):
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()


def test_it_finds_the_temperature_of_the_logits():
    """Logits three times too large; a grid in float64 gives the best divisor."""
    inputs = draw(VECTORS, rows=ROWS)
    labels = labels_of(classifier().predict(inputs, verbose=0))
    model = classifier(sure=3.0)
    logits = np.log(model.predict(inputs, verbose=0).astype("float64"))
    grid = np.exp(np.linspace(-1, 3, 2001))
    losses = [loss(labels, special.softmax(logits / t, axis=1)) for t in grid]
    expected = grid[np.argmin(losses)]
    assert 2 < expected < 4.5
    found = calibrate(model, inputs, labels)
    assert found == pytest.approx(expected, rel=5e-3)
    scaled = special.softmax(logits / found, axis=1)
    assert_close(model.predict(inputs, verbose=0), scaled.astype("float32"))


def test_the_heads_of_an_average_share_it():
    inputs = draw(VECTORS, rows=ROWS)
    labels = labels_of(classifier("average").predict(inputs, verbose=0))
    model = classifier("average", sure=4.0)
    before = loss(labels, model.predict(inputs, verbose=0))
    assert 2.5 < calibrate(model, inputs, labels) < 6
    after = loss(labels, model.predict(inputs, verbose=0))
    truth = loss(labels, classifier("average").predict(inputs, verbose=0))
    assert after < before and abs(after - truth) < 0.02


def test_it_goes_into_files(tmp_path):
    inputs = draw(VECTORS, rows=ROWS)
    model = classifier(sure=3.0)
    calibrate(model, inputs, labels_of(classifier().predict(inputs, verbose=0)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = model.predict(inputs, verbose=0)
    assert_close(loaded.predict(inputs, verbose=0), expected)


def test_it_wants_a_softmax():
    model = zoo.FusionClassifier(VECTORS, 1, classifier_activation=None)
    with pytest.raises(ValueError, match=r"softmax; received.*\['predictions'\]"):
        calibrate(model, draw(VECTORS), np.zeros(3, int))
