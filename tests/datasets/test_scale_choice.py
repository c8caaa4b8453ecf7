"""A scale is chosen where nobody says it, by rows that neither train nor test."""

import numpy as np
import pytest

from keras_fusion.datasets import DataError
from keras_fusion.datasets.dataset import Raw
from keras_fusion.datasets.linear_probe import explained
from keras_fusion.datasets.preparation import prepare
from keras_fusion.datasets.scale_choice import by_modality, chosen

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")
LABELS = np.arange(300) % 3
ROWS = np.arange(200), np.arange(200, 300)


def signal(rng):
    """`(300, 8)`: what tells the classes apart, and as much noise."""
    return np.eye(8)[LABELS] * 2 + rng.normal(size=(300, 8))


def modalities():
    """Each made so that another scale is right for it."""
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.normal(size=(300, 150))
    units = signal(rng) * 10.0 ** -np.arange(8)[None]
    return {
        "modality": np.concatenate([signal(rng), noise], axis=1),
        "feature": np.concatenate([units[:, ::-1], 1e6 * noise[:, :9]], axis=1),
        "quantile": np.exp(5 * signal(rng)),
    }


def choose(inputs, scale="auto", labels=LABELS, classes=3, present=None):
    if present is None:
        present = np.ones((len(labels), len(inputs)), bool)
    wanted = by_modality(scale, inputs)
    return chosen(wanted, inputs, present, labels, classes, *ROWS)


def test_the_scale_that_suits_is_found():
    found, notes = choose(modalities())
    assert found == {name: name for name in found}
    assert "quantile by quantile" in notes[0]


def test_numbers_are_explained_as_classes_are():
    inputs = modalities()
    assert choose(inputs, labels=inputs["modality"][:, 0], classes=0)[0][
        "modality"
    ] in ("modality", "feature")


def test_what_somebody_said_stays():
    found, notes = choose(modalities(), {"feature": "none", "*": "quantile"})
    assert found == {"modality": "quantile", "feature": "none", "quantile": "quantile"}
    assert notes == []


def test_test_rows_have_no_influence():
    inputs = modalities()
    expected = choose(inputs)[0]
    more = {
        m: np.concatenate([x, np.full((9, x.shape[1]), 1e9)]) for m, x in inputs.items()
    }
    labels = np.concatenate([LABELS, np.zeros(9, int)])
    assert choose(more, labels=labels)[0] == expected


@pytest.mark.parametrize("what", ["map", "absent", "wide"])
def test_what_no_linear_model_can_judge_is_scaled_by_feature(what):
    shape = {"map": (4, 4, 1), "absent": (3,), "wide": (5000,)}[what]
    present = np.full((300, 1), what != "absent")
    inputs = {"a": np.zeros((300, *shape), np.float32)}
    assert choose(inputs, present=present) == ({"a": "feature"}, [])


def test_absent_rows_and_single_gaps_are_no_obstacle():
    inputs = modalities()
    present = np.ones((300, 3), bool)
    present[::4, 0] = False
    inputs["modality"][::4] = np.nan
    inputs["quantile"][::7, 2] = np.nan
    assert choose(inputs, present=present)[0]["modality"] == "modality"


@pytest.mark.parametrize("features", [3, 40, 600])
def test_a_ridge_regression_is_that_of_its_normal_equations(features):
    """Fewer features than rows, and more, are two forms of one solution."""
    rng = np.random.default_rng(1)
    x, new = rng.normal(size=(20, features)), rng.normal(size=(9, features))
    weights = rng.normal(size=(features, 2))
    y, wanted = x @ weights, new @ weights
    centered, errors = x - x.mean(0), []
    unit = np.square(centered).sum() / min(features, 20)
    for strength in np.logspace(-4, 1, 6):
        gram = centered.T @ centered + strength * unit * np.eye(features)
        slopes = np.linalg.solve(gram, centered.T @ (y - y.mean(0)))
        found = (new - x.mean(0)) @ slopes + y.mean(0)
        errors.append(np.square(found - wanted).sum())
    share = 1 - min(errors) / np.square(wanted - y.mean(0)).sum()
    assert explained(x, y, new, wanted) == pytest.approx(max(0, share), abs=1e-9)


def test_the_data_set_says_what_was_chosen():
    raw = Raw(modalities(), LABELS)
    data = prepare("mine", raw)
    assert {m: s.kind for m, s in data.statistics.items()} == {m: m for m in raw.inputs}
    assert any("chose to scale modality by modality" in note for note in data.notes)
    assert not any("chose" in note for note in prepare("mine", raw, scale="none").notes)


def test_validation_rows_that_train_choose_as_if_they_did_not():
    raw = Raw(modalities(), LABELS)
    data = prepare("mine", raw, train_on_validation=True)
    assert {m: s.kind for m, s in data.statistics.items()} == {m: m for m in raw.inputs}


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ({"aa": "none"}, "modality 'aa', .*some of a; the closest is 'a'"),
        ({"a": "standard"}, "scale of 'a' must be one of .*auto; received 'standard'"),
        ("standard", "scale must be one of feature, .*auto; received 'standard'"),
    ],
)
def test_unknown_scales(scale, message):
    with pytest.raises(DataError, match=message):
        by_modality(scale, ["a"])
