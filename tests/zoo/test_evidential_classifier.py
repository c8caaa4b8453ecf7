import keras
import numpy as np
import pytest
from scipy import special

from keras_fusion import zoo
from keras_fusion.losses import EvidentialLoss, evidential_loss
from tests.conftest import assert_close, to_numpy
from tests.zoo.samples import VECTORS, absent_as, draw, randomize

ROWS = 60


def loss_on_paper(label, alpha, divergence):
    """In float64, by scipy."""
    alpha = alpha.astype("float64")
    entropy = special.digamma(alpha.sum()) - special.digamma(alpha[label])
    wrong = alpha.copy()
    wrong[label] = 1
    total = wrong.sum()
    kl = special.gammaln(total) - special.gammaln(len(alpha))
    kl -= special.gammaln(wrong).sum()
    kl += ((wrong - 1) * (special.digamma(wrong) - special.digamma(total))).sum()
    return entropy + divergence * kl


def test_the_loss_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    alpha = (1 + 4 * rng.gamma(1, size=(6, 3))).astype("float32")
    labels = np.array([0, 1, 2, 0, 1, 2])
    expected = [loss_on_paper(y, a, 0.3) for y, a in zip(labels, alpha)]
    assert_close(evidential_loss(labels, alpha, 0.3), np.float32(expected))
    mean = EvidentialLoss(0.3)(labels[:, None], alpha)
    assert float(mean) == pytest.approx(np.mean(expected), rel=1e-5)
    assert (
        EvidentialLoss.from_config(EvidentialLoss(0.3).get_config()).divergence == 0.3
    )


def built(**arguments):
    options = {"units": 4, "dropout": 0.0, "modality_dropout": 0.0} | arguments
    return zoo.EvidentialClassifier(VECTORS, 3, modality_mask=True, **options)


def some(rows=ROWS):
    labels = np.arange(rows) % 3
    inputs = {n: x + 2 * labels[:, None] for n, x in draw(VECTORS, rows).items()}
    mask = np.ones((rows, 3), bool)
    mask[::4, 1] = False
    return absent_as(np.nan, inputs, mask), labels


@pytest.mark.parametrize("rule", ["dempster", "averaging"])
def test_it_trains_by_the_loss_of_all_opinions(rule):
    """The loss that `fit` reports in a first step, once more by scipy."""
    inputs, labels = some()
    model = randomize(built(rule=rule, annealing=4))
    fusion = model.get_layer("fusion")
    fusion.step.assign(1)
    heads = [model.get_layer(f"{m}_predictions").output for m in VECTORS]
    evidence = keras.Model(model.input, heads).predict(inputs, verbose=0)
    there = inputs["modality_mask"]
    evidence = [np.where(p[:, None], e, 0) for e, p in zip(evidence, there.T)]
    opinions = keras.Model(model.input, fusion.output).predict(inputs, verbose=0)
    whole = opinions[0] * 3 / opinions[1][:, None]  # alpha = p K / u
    expected = 0.0
    for alpha, weight in [(whole, np.ones(ROWS)), *zip(evidence, there.T)]:
        alpha = alpha + (alpha is not whole)
        each = [loss_on_paper(y, a, 2 / 4) for y, a in zip(labels, alpha)]
        expected += np.mean(each * weight)
    if rule == "averaging":
        pairs = np.array([1 if all(row) else 1 / 3 for row in there]) * 3
        expected += np.mean(2 / (3 - 1) * opinions[2] * pairs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(inputs, labels, batch_size=ROWS, shuffle=False, verbose=0)
    assert history.history["loss"][0] == pytest.approx(expected, rel=2e-4)
    assert float(fusion.step) == 2


@pytest.mark.only_on("torch", reason="its laws run on each; this trains")
def test_it_learns_and_is_less_sure_of_what_it_has_not_seen():
    inputs, labels = some(300)
    model = built(annealing=100)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(inputs, labels, epochs=15, verbose=0)
    opinions = keras.Model(model.input, model.get_layer("fusion").output)
    probabilities, uncertainty, _ = opinions.predict(inputs, verbose=0)
    assert np.mean(probabilities.argmax(1) == labels) > 0.8
    fewer = inputs | {"modality_mask": inputs["modality_mask"] & [True, False, False]}
    assert uncertainty.mean() < opinions.predict(fewer, verbose=0)[1].mean() - 0.02


def test_a_deployable_model_says_how_uncertain_it_is(tmp_path):
    inputs, _ = some(4)
    model = randomize(built())
    deployed = zoo.deployable(model, {m: (0.0, 1.0) for m in VECTORS})
    deployed.save(tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras").predict(inputs, verbose=0)
    opinions = keras.Model(model.input, model.get_layer("fusion").output)
    for name, expected in zip(
        ("probabilities", "uncertainty", "conflict"),
        opinions.predict(inputs, verbose=0),
    ):
        assert_close(found[name], to_numpy(expected))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="2 classes or more; received classes=1"):
        zoo.EvidentialClassifier(VECTORS, 1)
