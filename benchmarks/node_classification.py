"""Cora and CiteSeer: what words alone reach, and what further modalities add.

    KERAS_FUSION_DATA=FOLDER python -m benchmarks.node_classification

The standard split, ten seeds. Words alone are the published GCN and GAT with their
published settings (here the last epoch counts, so validation chooses nothing). Then
every node has three modalities (its words; the mean words of its neighbours; its place:
spectral coordinates and random walks back), fused by concatenation, by adaptive
weighting and by every readout of modality attention, all with the same two graph
convolutions and the same training; and the same with a modality missing at 30 % of the
nodes, which one is drawn per node. Differences are paired by seed. Each run is kept as
it ends: a second call goes on where the first was stopped.
"""

import argparse
import json
import pathlib
import statistics

import keras
import numpy as np

from keras_fusion.datasets.planetoid import CLASSES, load_graph
from keras_fusion.evaluation import paired_interval
from keras_fusion.files import write_json
from keras_fusion.graphs import (
    FullGraph,
    neighbourhood,
    random_walk_position,
    spectral_position,
)
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
        "epochs": 300,
    },
}
FUSED = {"units": 64, "dropout": 0.5, "rate": 0.01, "epochs": 200, "graph": "gcn"}
BASELINE = "Concatenation"


def methods() -> dict:
    """Builder arguments by the name of each way to fuse."""
    ways = {"Concatenation": {"fusion": "Concatenation"}}
    ways["AdaptiveWeighting"] = {"fusion": "AdaptiveWeighting"}
    for readout in ("sum", "mean", "max", "token", "query"):
        ways[f"ModalityAttention {readout}"] = {"fusion": _attention(readout)}
    for query in ("words", "node"):
        way = {"fusion": _attention("node"), "query": query, "fusion_stage": "late"}
        ways[f"ModalityAttention query={query} late"] = way
    for stage in ("middle", "late"):
        way = {"fusion": _attention("mean"), "fusion_stage": stage}
        ways[f"ModalityAttention mean {stage}"] = way
        ways[f"Concatenation {stage}"] = {
            "fusion": "Concatenation",
            "fusion_stage": stage,
        }
    return ways


def _attention(readout):
    return {"class_name": "ModalityAttention", "config": {"readout": readout}}


def runs():
    """`(key, data set, modalities, missing, arguments)` of everything to be trained."""
    for data in CLASSES:
        for kind, settings in WORDS.items():
            config = settings | {"graph": kind, "fusion": ALONE}
            yield f"{data}/words alone/{kind}", data, ["words"], False, config
        for missing in (False, True):
            part = "30 % missing" if missing else "three modalities"
            for name, way in methods().items():
                modalities = ["words", "neighbourhood", "place"]
                yield f"{data}/{part}/{name}", data, modalities, missing, FUSED | way


def modalities_of(graph) -> dict:
    words, edges = graph.inputs["words"], graph.edge_index
    words = words / np.maximum(words.sum(axis=1, keepdims=True), 1)
    place = [
        spectral_position(edges, len(words), 32),
        random_walk_position(edges, len(words), 16),
    ]
    return {
        "words": words,
        "neighbourhood": neighbourhood(words, edges),
        "place": np.concatenate(place, axis=1),
    }


def train(graph, inputs, missing, seed, *, rate, epochs, **config) -> float:
    """Test accuracy in percent after the last epoch."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = GraphNodeClassifier(
        {name: x.shape[1] for name, x in inputs.items()},
        graph.labels.max() + 1,
        kernel_regularizer=keras.regularizers.L2(L2),
        modality_mask=missing,
        **config,
    )
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    if missing:
        inputs = inputs | {"modality_mask": _some_missing(len(graph.labels), seed)}
    arrays = inputs, graph.edge_index, graph.labels
    model.fit(FullGraph(*arrays, graph.train), epochs=epochs, verbose=0)
    return 100 * model.evaluate(FullGraph(*arrays, graph.test), verbose=0)[1]


def _some_missing(nodes, seed):
    """`(n, 3)` bool: at 30 % of the nodes one of the modalities is not there."""
    rng = np.random.default_rng(seed)
    there = np.ones((nodes, 3), bool)
    rows = np.flatnonzero(rng.random(nodes) < 0.3)
    there[rows, rng.integers(0, 3, len(rows))] = False
    return there


def summary(scores) -> dict:
    """Mean, standard deviation, and the difference to concatenation by seed."""
    lines = {}
    for key, values in scores.items():
        data, part, name = key.split("/")
        line = {"mean": statistics.fmean(values), "seeds": len(values)}
        if len(values) > 1:
            line["deviation"] = statistics.stdev(values)
        if name in PUBLISHED:
            line["published"] = PUBLISHED[name][data]
        rival = scores.get(f"{data}/{part}/{BASELINE}", [])
        if name != BASELINE and len(rival) == len(values):
            line["against concatenation"] = paired_interval(values, rival)
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
    for key, data, names, missing, config in runs():
        if arguments.only not in key:
            continue
        values = scores.setdefault(key, [])
        for seed in range(len(values), arguments.seeds):
            if data not in loaded:
                graph = load_graph(data)
                loaded[data] = graph, modalities_of(graph)
            graph, inputs = loaded[data]
            chosen = {name: inputs[name] for name in names}
            values.append(train(graph, chosen, missing, seed, **config))
            report = {"scores": scores, "summary": summary(scores)}
            settings = {key: config for key, *_, config in runs()}
            write_json(path, report | {"settings": settings} | provenance())
            print(f"{key}, seed {seed}: {values[-1]:.1f}", flush=True)
    for key, line in summary(scores).items():
        spread = f" ± {line['deviation']:.1f}" if "deviation" in line else ""
        print(f"{key}: {line['mean']:.1f}{spread} ({line['seeds']} seeds)")


if __name__ == "__main__":
    main()
