"""Small data sets on which a linear model is hard to beat, or easy."""

import numpy as np
from sklearn import datasets

from benchmarks import defaults_data
from benchmarks.defaults_data import Case, Table


def _diabetes():
    """Progress of a disease from who the patient is and from blood."""
    x, y = datasets.load_diabetes(return_X_y=True)
    return Table(_columns(x, person=range(4), blood=range(4, 10)), y)


def _alcohol():
    """The alcohol of wines from their other measures."""
    x, _ = datasets.load_wine(return_X_y=True)
    groups = {"first": range(1, 5), "middle": range(5, 9), "last": range(9, 13)}
    return Table(_columns(x, **groups), x[:, 0])


def _rating():
    """Stars of reviews of clothing."""
    table = defaults_data.reviews("Rating")
    return table._replace(labels=table.labels.astype(float))


def _opinions():
    """Opinions, 0 or 1, as numbers."""
    table = defaults_data.CASES["mosi"].read()
    return table._replace(labels=table.labels.astype(float))


def _sum(rows, width, seed):
    """A sum of three modalities of as many features, and noise for a fifth of it."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3 * width))
    y = x @ rng.normal(size=3 * width)
    y = y / y.std() + 0.5 * rng.normal(size=rows)
    parts = np.split(x.astype("float32"), 3, axis=1)
    return Table(dict(zip("abc", parts)), y)


def _friedman_1():
    x, y = datasets.make_friedman1(800, noise=1.0, random_state=0)
    return Table(_columns(x, a=(0, 2, 5, 6), b=(1, 3, 7), c=(4, 8, 9)), y)


def _friedman_3():
    x, y = datasets.make_friedman3(800, noise=0.1, random_state=0)
    return Table(_columns(x, a=(0, 3), b=(1, 2)), y)


def _iris():
    x, y = datasets.load_iris(return_X_y=True)
    return Table(_columns(x, sepal=(0, 1), petal=(2, 3)), y)


def _side():
    """On which side of a plane a point lies, by a sum with noise."""
    table = _sum(240, 8, 2)
    return table._replace(labels=(table.labels > 0).astype(int))


def _columns(x, **groups):
    return {name: x[:, list(group)].astype("float32") for name, group in groups.items()}


NUMBERS = {
    "linear": Case(lambda: _sum(600, 10, 0)),
    "diabetes": Case(_diabetes),
    "friedman 1": Case(_friedman_1),
    "rating": Case(_rating),
    "linear, few rows": Case(lambda: _sum(160, 15, 1)),
    "alcohol": Case(_alcohol),
    "mosi": Case(_opinions),
    "friedman 3": Case(_friedman_3),
}
CLASSES = {
    "iris": Case(_iris),
    "wine": Case(defaults_data.wine),
    "cancer": Case(defaults_data.cancer),
    "cancer, 20 labels": Case(defaults_data.cancer, 20),
    "linear": Case(_side),
}
