"""Cora and CiteSeer: what words alone reach, and what further modalities add.

    KERAS_FUSION_DATA=FOLDER python -m benchmarks.node_classification.study

The standard split, ten seeds. Words alone are the published GCN and GAT with their
published settings: GCN for 200 epochs, the last of which counts; GAT until validation
stops it. Then every node has three modalities (its words; the mean
words of its neighbors; its place: spectral coordinates and random walks back), fused
by concatenation, by adaptive weighting and by every readout of modality attention,
between one graph convolution for each modality and one that gives the classes, all
trained the same way, and each modality by itself; and the same with one modality
missing at 30 % of the nodes, which one is drawn per node. Here words are their first
256 principal components, which makes a run several times as fast. Differences are
paired by seed. Each run is kept as it ends: a second call goes on where the first was
stopped. Several processes share the work by `--only`, each with its own `--results`:

    STUDY="python -m benchmarks.node_classification.study"
    $STUDY --only cora/words --results 1.json &
    $STUDY --only cora/3 citeseer --results 2.json &

Tables: `python -m benchmarks.node_classification.page`, or the same with the files
`1.json 2.json`, which become one results file first.
"""

import argparse
import functools
import json
import pathlib

import keras
import numpy as np

from benchmarks.node_classification.inputs import (
    MODALITIES,
    SparseDropout,
    some_missing,
    three_modalities,
    words,
)
from benchmarks.node_classification.page import BASELINE, PARTS, RESULTS, summary
from benchmarks.node_classification.stopping import BothAtTheirBest
from keras_fusion.common.files import write_json
from keras_fusion.common.provenance import provenance
from keras_fusion.datasets.builtin.planetoid import CLASSES, load_graph
from keras_fusion.graphs import FullGraph
from keras_fusion.zoo import GraphNodeClassifier

L2 = 2.5e-4  # published as 5e-4 of half the sum of squares
ALONE = {"class_name": "Concatenation", "config": {"units": None}}
WORDS = {
    "gcn": {"units": 16, "dropout": 0.5, "rate": 0.01, "epochs": 200},
    "gat": {
        "units": 64,
        "num_heads": 8,
        "dropout": 0.6,
        "attention_dropout": 0.6,
        "rate": 0.005,
        "epochs": 100_000,
        "patience": 100,
    },
}
FUSED = {
    "graph": "gcn",
    "fusion_stage": "middle",
    "units": 16,
    "dropout": 0.5,
    "rate": 0.01,
    "epochs": 100,
}


def methods() -> dict:
    """Builder arguments by the name of each way to fuse."""
    ways = {BASELINE: {"fusion": "Concatenation"}}
    ways["adaptive weighting"] = {"fusion": "AdaptiveWeighting"}
    for readout in ("sum", "mean", "max", "token", "query"):
        ways[f"attention, {readout}"] = {"fusion": _attention(readout)}
    for query in ("words", "node"):
        way = {"fusion": _attention("node"), "query": query}
        ways[f"attention, query of the {query}"] = way
    return ways


def _attention(readout):
    return {"class_name": "ModalityAttention", "config": {"readout": readout}}


def singles() -> dict:
    """Builder arguments of each modality by itself, as it would be among others."""
    alone = {"fusion": "Concatenation"}
    return {f"{name} alone": alone | {"modalities": [name]} for name in MODALITIES}


def runs():
    """`(data set, part, name, arguments)` of everything to be trained."""
    alone, whole, missing = PARTS
    for data in CLASSES:
        for kind, settings in WORDS.items():
            yield data, alone, kind, settings | {"graph": kind, "fusion": ALONE}
        for part, ways in (whole, methods() | singles()), (missing, methods()):
            for name, way in ways.items():
                yield data, part, name, FUSED | way


@functools.lru_cache(maxsize=1)
def load(name, raw):
    """The graph and its modalities: raw words, or three of few columns."""
    graph = load_graph(name)
    return graph, {"words": words(graph)} if raw else three_modalities(graph)


def train(
    graph,
    inputs,
    part,
    seeds,
    /,
    *,
    rate,
    epochs,
    patience=None,
    modalities=None,
    **config,
):
    """Accuracies in percent, seed by seed, compiled once.

    They are those after the last epoch, or with `patience` those of the weights that
    `BothAtTheirBest` keeps.
    """
    keras.utils.clear_session()
    raw, missing = part == PARTS[0], part == PARTS[2]
    inputs = {name: inputs[name] for name in modalities or inputs}
    build = functools.partial(
        GraphNodeClassifier,
        {name: x.shape[1] for name, x in inputs.items()},
        graph.labels.max() + 1,
        kernel_regularizer=keras.regularizers.L2(L2),
        modality_mask=missing,
        **config,
    )
    model = build()
    if config["graph"] == "gcn":  # published: regularized in the first layer only
        model.get_layer("graph_head").kernel.regularizer = None
    if raw:
        model.get_layer("graph_0_dropout").rate = 0  # see SparseDropout
    loss = "sparse_categorical_crossentropy"
    watched = [loss, "accuracy"] if patience else None
    model.compile(keras.optimizers.Adam(rate), loss, weighted_metrics=watched)
    model.optimizer.build(model.trainable_variables)
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        start_again(model, build())
        if missing:
            inputs = inputs | {"modality_mask": some_missing(len(graph.labels), seed)}
        arrays = inputs, graph.edge_index, graph.labels, graph.train
        nodes = FullGraph(*arrays)
        if raw:
            nodes = SparseDropout(*arrays, rate=config["dropout"], seed=seed)
        stopping = {}
        if patience:
            stopping["callbacks"] = [BothAtTheirBest(patience)]
            stopping["validation_data"] = FullGraph(*arrays[:3], graph.validation)
        model.fit(nodes, epochs=epochs, verbose=0, **stopping)
        outputs = model.predict(FullGraph(inputs, graph.edge_index), verbose=0)
        right = 100.0 * (outputs.argmax(axis=1) == graph.labels)
        yield {p: right[getattr(graph, p)].mean() for p in ("validation", "test")}


def start_again(model, fresh):
    """Weights, and the states of dropout, as of a model that was just built."""
    for mine, theirs in zip(model.variables, fresh.variables, strict=True):
        mine.assign(theirs)
    for variable in model.optimizer.variables:
        if variable is not model.optimizer.learning_rate:
            variable.assign(np.zeros(variable.shape))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="+", help="beginnings of keys, all by default")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    arguments = parser.parse_args()
    path, scores = arguments.results, {}
    if path.is_file():
        scores = json.loads(path.read_text())["scores"]
    settings = {f"{data}/{part}/{name}": config for data, part, name, config in runs()}
    for key in settings:
        data, part, _ = key.split("/")
        values = scores.get(key, [])
        seeds = range(len(values), arguments.seeds)
        if not seeds or not key.startswith(tuple(arguments.only or [""])):
            continue
        graph = load(data, part == PARTS[0])
        for found in train(*graph, part, seeds, **settings[key]):
            scores[key] = values = [*values, found]
            report = {"summary": summary(scores), "scores": scores}
            write_json(path, report | {"settings": settings} | provenance())
            print(f"{key}: {found['test']:.1f}", flush=True)


if __name__ == "__main__":
    main()
