import keras
import numpy as np
import pytest
from scipy import special

from keras_fusion import zoo
from keras_fusion.calibration import calibrate
from keras_fusion.zoo.parts.deployable import heads_of
from tests.conftest import assert_close
from tests.zoo.samples import VECTORS, draw, randomize

ROWS = 400


def classifier(heads=None, sure=1.0):
    model = zoo.FusionClassifier(VECTORS, 3, fusion="Averaging", units=4, heads=heads)
    randomize(model)
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


def test_classes_in_an_order_have_thresholds_that_shrink():
    """A score and thresholds three times too large; a grid gives the best divisor."""
    model = zoo.FusionModel(VECTORS, "ordinal", 4, fusion="Averaging", units=4)
    inputs = draw(VECTORS, rows=ROWS)
    shares = randomize(model).predict(inputs, verbose=0).astype("float64")
    draws = np.random.default_rng(0).random((ROWS, 1))
    labels = (shares.cumsum(axis=1) < draws).sum(axis=1).clip(0, 3)
    cuts = special.logit(shares.cumsum(axis=1)[:, :3].clip(1e-12, 1 - 1e-12))
    link = model.get_layer("predictions")
    link.score.kernel.assign(link.score.kernel * 3)
    steps = keras.ops.convert_to_numpy(link.steps)
    gaps = 3 * np.logaddexp(0, steps[1:])
    link.steps.assign(np.append(3 * steps[:1], np.log(np.expm1(gaps))))

    def scaled(t):
        below = special.expit(3 * cuts / t)
        return np.diff(below, axis=1, prepend=0, append=1)

    grid = np.exp(np.linspace(0, 2, 1001))
    expected = grid[np.argmin([loss(labels, scaled(t)) for t in grid])]
    assert 2 < expected < 4.5
    found = calibrate(model, inputs, labels)
    assert found == pytest.approx(expected, rel=5e-3)
    given = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(given, scaled(found), atol=1e-4)


def test_several_labels_have_one_temperature():
    """Logits three times too large; a grid in float64 gives the best divisor."""
    model = zoo.FusionModel(VECTORS, "multilabel", 3, fusion="Averaging", units=4)
    inputs = draw(VECTORS, rows=ROWS)
    shares = randomize(model).predict(inputs, verbose=0).astype("float64")
    labels = (np.random.default_rng(0).random(shares.shape) < shares).astype(int)
    head = model.get_layer("predictions")
    for weight in (head.kernel, head.bias):
        weight.assign(weight * 3)
    logits = 3 * special.logit(shares)
    grid = np.exp(np.linspace(0, 2, 1001))
    signed = np.where(labels > 0, logits, -logits)
    losses = [-special.log_expit(signed / t).mean() for t in grid]
    expected = grid[np.argmin(losses)]
    assert calibrate(model, inputs, labels) == pytest.approx(expected, rel=5e-3)
    scaled = special.expit(logits / expected)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), scaled, atol=5e-3)


@pytest.mark.only_on("torch", reason="the same weights are scaled everywhere")
@pytest.mark.parametrize("classes", [1, 3])
def test_pixels_that_are_labeled_decide(classes):
    shapes = {"rgb": (8, 8, 3), "depth": (8, 8, 1)}
    options = {"units": 4, "depth": 1, "fusion": "Averaging"}
    kind = "sigmoid" if classes == 1 else "softmax"
    model = randomize(
        zoo.MutualFormerSegmenter(
            shapes, classes, classifier_activation=kind, **options
        )
    )
    inputs = draw(shapes, rows=4)
    found = model.predict(inputs, verbose=0).astype("float64")  # (B, H, W, K)
    rng = np.random.default_rng(0)
    if classes == 1:
        labels = (rng.random(found.shape[:3]) < found[..., 0]).astype(int)
    else:
        draws = rng.random((*found.shape[:3], 1))
        labels = (found.cumsum(axis=-1) < draws).sum(axis=-1).clip(0, 2)
    head = model.get_layer("predictions")
    for weight in (head.kernel, head.bias):
        weight.assign(weight * 2)
    labels[:, :2] = 255
    temperature = calibrate(model, inputs, labels)
    assert temperature == pytest.approx(2, rel=0.3)
    labels[:, :2] = 0  # now they would count
    assert abs(calibrate(model, inputs, labels) * temperature - temperature) > 1e-3


def test_it_wants_probabilities():
    model = zoo.FusionClassifier(VECTORS, 1, classifier_activation=None)
    heads = r"\['predictions', 'predictions_linear'\]"
    with pytest.raises(ValueError, match=f"softmax or a sigmoid; rec.*{heads}"):
        calibrate(model, draw(VECTORS), np.zeros(3, int))
