"""`model.fit` on a whole graph and on samples of it."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_fusion.graphs import FullGraph, SampledGraph, symmetric
from keras_fusion.zoo import GraphNodeClassifier
from tests.conftest import assert_close
from tests.layers.cases import draw, randomize

NODES = 12
INPUTS = {"words": draw(NODES, 5), "position": draw(NODES, 3)}
STEPS = np.stack([np.arange(NODES - 1), np.arange(1, NODES)])
EDGES = symmetric(np.concatenate([STEPS, [[0, 0, 5], [5, 7, 9]]], axis=1))
LABELS = np.arange(NODES) % 3
SOME = np.arange(NODES) < 5


def compiled(kind="gcn", **config):
    shapes = {name: x.shape[1] for name, x in INPUTS.items()}
    config = {"units": 16, "dropout": 0.0, "graph": kind} | config
    model = randomize(GraphNodeClassifier(shapes, 3, **config), scale=0.3)
    model.compile(
        keras.optimizers.SGD(0.5),
        "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    return model


def test_only_the_nodes_of_the_split_count():
    model = compiled()
    graph = FullGraph(INPUTS, EDGES, LABELS, SOME)
    loss, accuracy = model.evaluate(graph, verbose=0)
    probabilities = model.predict(FullGraph(INPUTS, EDGES), verbose=0)
    assert probabilities.shape == (NODES, 3)
    picked = probabilities[np.arange(NODES), LABELS][SOME]
    np.testing.assert_allclose(loss, -np.log(picked).mean(), rtol=1e-5)
    right = probabilities.argmax(axis=1)[SOME] == LABELS[SOME]
    np.testing.assert_allclose(accuracy, right.mean(), rtol=1e-5)


@pytest.mark.parametrize("kind", [FullGraph, SampledGraph])
def test_labels_that_do_not_count_may_be_anything(kind):
    unknown = np.where(SOME, LABELS, -1)
    losses = [
        compiled().evaluate(kind(INPUTS, EDGES, labels, SOME), verbose=0)[0]
        for labels in (LABELS, unknown)
    ]
    assert np.isfinite(losses).all() and losses[0] == pytest.approx(losses[1])


def test_fit_learns_them():
    model = compiled(fusion="Concatenation")
    graph = FullGraph(INPUTS, EDGES, LABELS, SOME)
    rest = FullGraph(INPUTS, EDGES, LABELS, ~SOME)
    history = model.fit(graph, validation_data=rest, epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.85 * history["loss"][0]
    assert len(history["val_accuracy"]) == 30


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("kind, hops", [("gcn", 3), ("sgc", 3), ("gat", 2)])
def test_all_neighbors_kept_are_the_full_graph(kind, hops):
    """Loss, metric and predictions agree; in one batch a training step does too."""
    full = FullGraph(INPUTS, EDGES, LABELS, SOME)
    one, two = compiled(kind), compiled(kind)
    everything = {"neighbors": [None] * hops}
    for size, batches in ((5, 1), (3, 2), (2, 3)):
        config = everything | {"batch_size": size}
        sampled = SampledGraph(INPUTS, EDGES, LABELS, SOME, **config)
        assert len(sampled) == batches
        np.testing.assert_allclose(
            one.evaluate(full, verbose=0), one.evaluate(sampled, verbose=0), rtol=1e-5
        )
        found = SampledGraph(INPUTS, EDGES, **config).predict(one)
        assert_close(found, one.predict(FullGraph(INPUTS, EDGES), verbose=0))
    one.fit(full, verbose=0)
    sampled = SampledGraph(INPUTS, EDGES, LABELS, SOME, **everything)
    two.fit(sampled, verbose=0, shuffle=False)
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert_close(a, b)


def test_fit_on_several_batches_of_any_number_of_edges():
    """TensorFlow takes the shape of the first two for that of all."""
    hub = np.stack([np.zeros(NODES - 1, int), np.arange(1, NODES)])
    config = {"neighbors": [None], "batch_size": 4, "seed": 5}
    sampled = SampledGraph(INPUTS, symmetric(hub), LABELS, **config)
    reached = [(sampled[i][0]["edge_index"][1] < 12).sum() for i in range(3)]
    assert reached == [4, 4, 14]  # the last batch has the hub
    history = compiled().fit(sampled, epochs=2, verbose=0, shuffle=False).history
    assert np.isfinite(history["loss"]).all()


def test_predict_gives_the_nodes_in_their_order():
    model = compiled("gat")
    config = {"neighbors": [None, None], "batch_size": 2}
    found = SampledGraph(INPUTS, EDGES, nodes=SOME, **config).predict(model)
    everything = model.predict(FullGraph(INPUTS, EDGES), verbose=0)
    assert_close(found, everything[SOME])
    with pytest.raises(ValueError, match="labels=None"):
        SampledGraph(INPUTS, EDGES, LABELS).predict(model)


def test_one_hop_less_is_not():
    """Else the test above would prove little."""
    one = compiled()
    full = one.evaluate(FullGraph(INPUTS, EDGES, LABELS, SOME), verbose=0)
    few = SampledGraph(INPUTS, EDGES, LABELS, SOME, neighbors=[None])
    assert abs(full[0] - one.evaluate(few, verbose=0)[0]) > 1e-3


def test_batches_cover_the_nodes_once_and_keep_few_edges():
    sampled = SampledGraph(
        INPUTS, EDGES, LABELS, SOME, neighbors=[1, 1], batch_size=2, seed=3
    )
    found = []
    assert len(sampled) == 3
    for number in range(3):
        inputs, labels, weight = sampled[number]
        rows, edges = len(labels), inputs["edge_index"]
        assert (rows, edges.shape) == (7, (2, 4))  # 2, 2 and 2 nodes, and one for none
        assert edges.max() < rows
        real = edges[:, edges[1] != rows - 1]
        assert np.bincount(real[1], minlength=rows).max() == 1
        found += inputs["words"][weight > 0].tolist()
        assert weight[weight > 0] == pytest.approx(7 * 3 / 5)
    assert sorted(found) == sorted(INPUTS["words"][SOME].tolist())


def test_samples_differ_by_epoch_and_repeat_by_seed():
    def draws(seed):
        sampled = SampledGraph(
            INPUTS, EDGES, LABELS, neighbors=[1], batch_size=4, seed=seed
        )
        first = sampled[0][0]["words"]
        sampled.on_epoch_end()
        return first, sampled[0][0]["words"]

    (first, second), (again, _) = draws(0), draws(0)
    assert np.array_equal(first, again) and not np.array_equal(first, second)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"inputs": INPUTS | {"position": INPUTS["position"][:4]}}, "'position': 4"),
        ({"edge_index": EDGES + 1}, "point outside the graph"),
        ({"edge_index": STEPS}, "directed.*symmetric"),
        ({"edge_weight": np.ones(3)}, "one per edge; received shape"),
        ({"labels": LABELS[:3]}, "'labels': 3"),
        ({"labels": np.eye(3)[LABELS]}, r"received shape \(12, 3\): of one-hot"),
        ({"labels": LABELS - 1}, r"received -1 for node 0 \(4 such nodes\)"),
    ],
)
@pytest.mark.parametrize("kind", [FullGraph, SampledGraph])
def test_graphs_that_do_not_fit(kind, changes, message):
    config = {"inputs": INPUTS, "edge_index": EDGES, "labels": LABELS} | changes
    with pytest.raises(ValueError, match=message):
        kind(**config)


@pytest.mark.parametrize("neighbors", [(), (3, 0)])
def test_hops_that_keep_nothing(neighbors):
    with pytest.raises(ValueError, match="how many edges are kept, at least 1"):
        SampledGraph(INPUTS, EDGES, LABELS, neighbors=neighbors)


@pytest.mark.parametrize("of", ["JAX", "TensorFlow"])
def test_several_devices_do_not_share_a_graph(of, monkeypatch):
    model, graph = compiled(), SampledGraph(INPUTS, EDGES, LABELS)
    if of == "JAX":
        mesh = SimpleNamespace(devices=np.zeros(2))
        found = SimpleNamespace(device_mesh=mesh)
        monkeypatch.setattr(keras.distribution, "distribution", lambda: found)
    else:
        strategy = SimpleNamespace(num_replicas_in_sync=2)
        monkeypatch.setattr(type(model), "distribute_strategy", strategy, raising=False)
    for method in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match="expected one device; received 2"):
            method(graph)
