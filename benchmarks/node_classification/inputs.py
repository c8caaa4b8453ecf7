"""What the study feeds: modalities of a node, and dropout that is quick."""

import numpy as np

from keras_fusion.graphs import (
    FullGraph,
    neighborhood,
    random_walk_position,
    spectral_position,
)

MODALITIES = ("words", "neighborhood", "place")
COMPONENTS, COORDINATES, STEPS = 256, 32, 8
REGULARIZATION = 0.25  # both graphs fall into many small parts
MISSING = 0.3  # share of the nodes that lack a modality


def words(graph) -> np.ndarray:
    """`(n, D)` float32, every row of sum 1, as published."""
    raw = graph.inputs["words"]
    return raw / np.maximum(raw.sum(axis=1, keepdims=True), 1)


def three_modalities(graph) -> dict[str, np.ndarray]:
    """Words, words of the neighborhood, and place; see `scaled`."""
    nodes, edges = len(graph.labels), graph.edge_index
    own = principal_components(words(graph), COMPONENTS)
    place = [
        spectral_position(edges, nodes, COORDINATES, REGULARIZATION),
        random_walk_position(edges, nodes, STEPS),
    ]
    found = {
        "words": own,
        "neighborhood": neighborhood(own, edges),
        "place": np.concatenate([scaled(x) for x in place], axis=1),
    }
    return {name: scaled(x) for name, x in found.items()}


def scaled(x) -> np.ndarray:
    """Rows whose squares sum to 1 in the mean."""
    return x / np.sqrt(np.mean(np.sum(x**2, axis=1)))


def principal_components(x, width) -> np.ndarray:
    """The `width` directions in which x, not centered, is largest: `(n, width)`."""
    values, vectors = np.linalg.eigh(x @ x.T)
    return vectors[:, -width:] * np.sqrt(np.maximum(values[-width:], 0))


def some_missing(nodes, seed) -> np.ndarray:
    """`(n, 3)` bool: at 30 % of the nodes one of the modalities is not there."""
    rng = np.random.default_rng(seed)
    there = np.ones((nodes, 3), bool)
    rows = np.flatnonzero(rng.random(nodes) < MISSING)
    there[rows, rng.integers(0, 3, len(rows))] = False
    return there


class SparseDropout(FullGraph):
    """A graph whose words are dropped here and not in the first layer of the model.

    The same dropout, but drawn where a word is, at one place in a hundred: drawing
    for all of them takes five times as long as the rest of a step.
    """

    def __init__(self, *arrays, rate, seed):
        super().__init__(*arrays)
        self.kept = 1 - rate
        self.rng = np.random.default_rng(seed)
        self.words = np.copy(self.inputs["words"])
        self.there = np.nonzero(self.words)
        self.values = self.words[self.there] / self.kept

    def __getitem__(self, index):
        keep = self.rng.random(len(self.values)) < self.kept
        self.words[self.there] = self.values * keep
        return self.inputs | {"words": self.words}, self.labels, self.sample_weight
