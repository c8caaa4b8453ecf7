"""Cora and CiteSeer: what words alone reach, and what further modalities add.

    KERAS_FUSION_DATA=FOLDER python -m benchmarks.node_classification

The standard split, ten seeds. Words alone are the published GCN and GAT with their
published settings, but for a fixed number of epochs, the last of which counts:
validation chooses nothing. Then every node has three modalities (its words; the mean
words of its neighbours; its place: spectral coordinates and random walks back), fused
by concatenation, by adaptive weighting and by every readout of modality attention,
between one graph convolution for each modality and one that gives the classes, all
trained the same way; and the same with one modality missing at 30 % of the nodes, which
one is drawn per node. Here words are their first 256 principal components, which makes
a run several times as fast. Differences are paired by seed. Each run is kept as it
ends: a second call goes on where the first was stopped, and `--only` takes a part.
Tables: `python -m benchmarks.node_page`.
"""

import argparse
import functools
import json
import pathlib
import statistics

import keras
import numpy as np

from benchmarks.node_inputs import SparseDropout, some_missing, three_modalities, words
from keras_fusion.datasets.planetoid import CLASSES, load_graph
from keras_fusion.evaluation import paired_interval
from keras_fusion.files import write_json
from keras_fusion.graphs import FullGraph
from keras_fusion.provenance import provenance
from keras_fusion.zoo import GraphNodeClassifier

RESULTS = pathlib.Path(__file__).parent / "results/node_classification.json"
L2 = 2.5e-4  # published as 5e-4 of half the sum of squares
PUBLISHED = {
    "gcn": {"cora": 81.5, "citeseer": 70.3},
    "gat": {"cora": 83.0, "citeseer": 72.5},
}
ALONE = {"class_name": "Concatenation", "config": {"units": None}}
WORDS = {
    "gcn": {"units": 16, "dropout": 0.5, "rate": 0.01, "epochs": 200},
    "gat": {
        "units": 64,
        "num_heads": 8,
        "dropout": 0.6,
        "attention_dropout": 0.6,
        "rate": 0.005,
        "epochs": 200,
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
BASELINE = "concatenation"
PARTS = ("words alone", "three modalities", "30 % missing")


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


def runs():
    """`(data set, part, name, arguments)` of everything to be trained."""
    alone, *fused = PARTS
    for data in CLASSES:
        for kind, settings in WORDS.items():
            yield data, alone, kind, settings | {"graph": kind, "fusion": ALONE}
    for part in fused:
        for data in CLASSES:
            for name, way in methods().items():
                yield data, part, name, FUSED | way


def load(name, part):
    """The graph and its modalities, as this part of the study has them."""
    graph = load_graph(name)
    if part == PARTS[0]:
        return graph, {"words": words(graph)}
    return graph, three_modalities(graph)


def train(graph, inputs, missing, seeds, /, *, rate, epochs, **arguments):
    """Accuracies in percent after the last epoch, seed by seed, compiled once."""
    keras.utils.clear_session()
    build = functools.partial(
        GraphNodeClassifier,
        {name: x.shape[1] for name, x in inputs.items()},
        graph.labels.max() + 1,
        kernel_regularizer=keras.regularizers.L2(L2),
        modality_mask=missing,
        **arguments,
    )
    model = build()
    if len(inputs) == 1:
        model.get_layer("graph_0_dropout").rate = 0  # see SparseDropout
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        start_again(model, build())
        if missing:
            inputs = inputs | {"modality_mask": some_missing(len(graph.labels), seed)}
        arrays = inputs, graph.edge_index, graph.labels, graph.train
        nodes = FullGraph(*arrays)
        if len(inputs) == 1:
            nodes = SparseDropout(*arrays, rate=arguments["dropout"], seed=seed)
        model.fit(nodes, epochs=epochs, verbose=0)
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


def summary(scores) -> dict:
    """Test accuracies: mean, deviation, and difference to concatenation by seed."""
    lines = {}
    for key, values in scores.items():
        data, part, name = key.split("/")
        tests = [value["test"] for value in values]
        line = {"mean": statistics.fmean(tests), "seeds": len(tests)}
        line["validation"] = statistics.fmean(v["validation"] for v in values)
        if len(tests) > 1:
            line["deviation"] = statistics.stdev(tests)
        if part == PARTS[0]:
            line["published"] = PUBLISHED[name][data]
        rival = [v["test"] for v in scores.get(f"{data}/{part}/{BASELINE}", [])]
        if name != BASELINE and len(rival) == len(tests):
            line["against concatenation"] = paired_interval(tests, rival)
        lines[key] = line
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", default="", help="part of the keys to be trained")
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    arguments = parser.parse_args()
    path, scores, loaded = arguments.results, {}, {}
    if path.is_file():
        scores = json.loads(path.read_text())["scores"]
    for data, part, name, config in runs():
        key = f"{data}/{part}/{name}"
        if arguments.only not in key:
            continue
        values = scores.setdefault(key, [])
        seeds = range(len(values), arguments.seeds)
        if not seeds:
            continue
        if loaded.get("of") != (data, part):
            loaded = {"of": (data, part), "graph": load(data, part)}
        for found in train(*loaded["graph"], part == PARTS[2], seeds, **config):
            values.append(found)
            settings = {f"{d}/{p}/{n}": config for d, p, n, config in runs()}
            report = {"summary": summary(scores), "scores": scores}
            write_json(path, report | {"settings": settings} | provenance())
            print(f"{key}: {found}", flush=True)
    for key, line in summary({k: v for k, v in scores.items() if v}).items():
        spread = f" ± {line['deviation']:.1f}" if "deviation" in line else ""
        print(f"{key}: {line['mean']:.1f}{spread} ({line['seeds']} seeds)")


if __name__ == "__main__":
    main()
