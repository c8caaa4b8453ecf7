"""A class for every node of a graph: words alone, and fused with the node's place.

    pip install "keras-fusion[torch]"
    python examples/node_classification.py
    KERAS_FUSION_DATA=FOLDER python examples/node_classification.py cora

The graph is made up, or one of papers that cite each other. The study of all fusions on
ten seeds is `benchmarks/node_classification`.
"""

import sys
import types

import keras
import numpy as np

from keras_fusion.datasets.builtin.planetoid import load_graph
from keras_fusion.graphs import FullGraph, spectral_position, symmetric
from keras_fusion.zoo import GraphNodeClassifier


def made_up(n=600, classes=3):
    """A graph in which most edges join nodes of one class, as `load_graph` has it."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    pairs = rng.integers(0, n, (2, 20 * n))
    kept = (labels[pairs[0]] == labels[pairs[1]]) | (rng.random(20 * n) < 0.2)
    words = rng.normal(size=(n, 20)) + 0.5 * np.eye(classes, 20)[labels]
    part = rng.permutation(n) * 10 // n
    return types.SimpleNamespace(
        inputs={"words": words},
        edge_index=symmetric(pairs[:, kept][:, : 4 * n]),
        labels=labels,
        train=part == 0,
        validation=part == 1,
        test=part > 1,
    )


def accuracy(graph, nodes, epochs, **arguments):
    """Test accuracy of a graph convolution for each modality, fused in the middle."""
    keras.utils.set_random_seed(0)
    model = GraphNodeClassifier(
        {name: x.shape[1] for name, x in nodes.items()},
        classes=graph.labels.max() + 1,
        fusion_stage="middle",
        units=16,
        dropout=0.5,
        **arguments,
    )
    model.compile(
        keras.optimizers.Adam(1e-2),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],  # of the nodes that count alone
    )
    train, test = (
        FullGraph(nodes, graph.edge_index, graph.labels, counted)
        for counted in (graph.train, graph.test)
    )
    model.fit(train, epochs=epochs, verbose=0)
    return model.evaluate(test, verbose=0, return_dict=True)["accuracy"]


def main(name=None, epochs=100):
    graph = load_graph(name) if name else made_up()
    words = {"words": graph.inputs["words"]}
    place = spectral_position(graph.edge_index, len(graph.labels), 16, 0.25)
    both = words | {"place": place}
    print(f"words alone: {accuracy(graph, words, epochs):.3f}")
    for fusion in ("Concatenation", "ModalityAttention"):
        print(f"{fusion}: {accuracy(graph, both, epochs, fusion=fusion):.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
