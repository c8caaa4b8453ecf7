"""Linear models of a model's inputs: ridge and logistic regression."""

import numpy as np
import pytest
from scipy import sparse

from keras_fusion.zoo.parts import logistic as classes
from keras_fusion.zoo.parts.logistic import logistic
from keras_fusion.zoo.parts.ridge import STRENGTHS, ridge

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")


@pytest.mark.parametrize("width", [3, 30])
def test_the_penalty_is_that_of_the_least_error_on_rows_left_out(width):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, width)), rng.normal(size=(20, 2))
    y += x[:, :2]
    kernel, intercept = ridge(x, y)
    centered, best = x - x.mean(axis=0), (np.inf, None)
    unit = np.square(centered).sum(axis=0).mean()

    def solved(x, y, penalty):
        """One more column, of ones, has no penalty."""
        x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        penalties = penalty * np.diag([1.0] * width + [0])
        return np.linalg.solve(x.T @ x + penalties, x.T @ y)

    for penalty in STRENGTHS * unit:
        error = 0
        for i in range(20):
            rest = np.arange(20) != i
            found = solved(x[rest], y[rest], penalty)
            error += np.square(x[i] @ found[:-1] + found[-1] - y[i]).sum()
        if error < best[0]:
            best = error, solved(x, y, penalty)
    np.testing.assert_allclose(kernel, best[1][:-1], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(intercept, best[1][-1], rtol=1e-5, atol=1e-8)


def labeled(several):
    """Features that explain labels but for noise, and a label of no row."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 5)) * [1, 1, 3, 1, 0.2] + 2
    logits = 2 * x @ rng.normal(size=(5, 3)) + rng.gumbel(size=(40, 3))
    logits -= logits.mean(axis=0)
    labels = logits > 0 if several else np.eye(3)[logits.argmax(axis=1)]
    return x, np.concatenate([labels, np.zeros((40, 1))], axis=1)


@pytest.mark.parametrize("several", [False, True])
def test_a_logistic_regression_is_where_its_slope_is_that_of_the_penalty(several):
    x, labels = labeled(several)
    kernel, intercept = logistic(x, labels, several)
    odds = np.exp(x @ kernel + intercept)
    found = odds / (1 + odds if several else odds.sum(axis=1, keepdims=True))
    centered = x - x.mean(axis=0)
    slope = centered.T @ (labels - found)
    penalty = (slope * kernel).sum() / np.square(kernel).sum()
    strength = penalty / np.square(centered).sum(axis=0).mean()
    assert np.isclose(strength, classes.STRENGTHS, rtol=0.05).any()
    np.testing.assert_allclose(slope, penalty * kernel, atol=0.02 * len(x))
    np.testing.assert_allclose(found.sum(axis=0), labels.sum(axis=0), atol=0.1)


@pytest.mark.parametrize("several", [False, True])
def test_what_no_feature_explains_has_the_strongest_penalty(several):
    x, labels = labeled(several)
    kernel, _ = logistic(x, labels, several)
    shuffled = np.random.default_rng(1).permutation(labels)
    assert np.abs(logistic(x, shuffled, several)[0]).max() < np.abs(kernel).max() / 2


def test_a_row_that_counts_twice_is_a_row_that_is_there_twice():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(5, 3)), np.eye(3)[[0, 2, 1, 1, 0]]
    counts = np.array([1, 2, 1, 2, 1])
    value, slope = classes.likely_classes(logits, targets * counts[:, None])
    rows = np.repeat(np.arange(5), counts)
    wanted, slopes = classes.likely_classes(logits[rows], targets[rows])
    np.testing.assert_allclose(value, wanted)
    both = np.zeros((5, 3))
    np.add.at(both, rows, slopes)
    np.testing.assert_allclose(slope, both)


@pytest.mark.parametrize("several", [False, True])
def test_sparse_features_have_the_same_logistic_regression(several):
    x, labels = labeled(several)
    x[np.random.default_rng(1).random(x.shape) < 0.5] = 0
    x -= x.mean(axis=0)  # sparse ones are not centered, and the penalty is against that
    shares = []
    for features in x, sparse.csr_array(x):
        kernel, intercept = logistic(features, labels, several)
        odds = np.exp(x @ kernel + intercept)
        shares.append(odds / (1 + odds if several else odds.sum(1, keepdims=True)))
    np.testing.assert_allclose(*shares, atol=0.002)


def test_a_ridge_regression_of_sparse_features_solves_its_equations():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 8)) * (rng.random((60, 8)) < 0.4)
    y = x @ rng.normal(size=(8, 2)) + 1000 + rng.normal(size=(60, 2))
    kernel, intercept = ridge(sparse.csr_array(x), y)
    slope = x.T @ (y - x @ kernel - intercept)
    penalty = (slope * kernel).sum() / np.square(kernel).sum()
    strength = penalty / np.square(x).sum(axis=0).mean()
    assert np.isclose(strength, classes.STRENGTHS, rtol=0.05).any()
    np.testing.assert_allclose(slope, penalty * kernel, atol=0.05)
    np.testing.assert_allclose((y - x @ kernel - intercept).sum(axis=0), 0, atol=0.05)
