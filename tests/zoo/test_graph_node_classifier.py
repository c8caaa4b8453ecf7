import keras
import numpy as np
import pytest
from keras import ops

from keras_fusion import zoo
from keras_fusion.graphs import FullGraph, symmetric
from keras_fusion.layers import (
    GraphAttention,
    GraphConvolution,
    SimpleGraphConvolution,
    operators,
)
from tests.conftest import assert_close, to_numpy, tried_here
from tests.layers.cases import draw, randomize

NODES = 7
SHAPES = {"words": 5, "position": (3,)}
EDGES = symmetric(np.array([[0, 0, 1, 3, 4], [1, 2, 2, 4, 5]])).astype("int32")
INPUTS = {"words": draw(NODES, 5), "position": draw(NODES, 3), "edge_index": EDGES}
ALONE = {"class_name": "Concatenation", "config": {"units": None}}


def built(**config):
    config = {"units": 16, "dropout": 0.0} | config
    return randomize(zoo.GraphNodeClassifier(SHAPES, 3, **config), scale=0.3)


def classify(model, **changes):
    return to_numpy(model(INPUTS | changes))


@pytest.mark.parametrize("kind", tried_here(["gat", "gcn", "gatv2", "sgc"]))
@pytest.mark.parametrize("stage", ["early", "middle", "late"])
def test_every_stage_with_every_layer(stage, kind):
    config = {"num_heads": 2, "residual": True, "classifier_activation": None}
    model = built(fusion_stage=stage, graph=kind, **config)
    logits = classify(model)
    assert model.output_shape == (None, 3) and logits.shape == (NODES, 3)
    changed = classify(model, words=INPUTS["words"] + (np.arange(NODES) == 1)[:, None])
    moved = np.abs(changed - logits).max(axis=1) > 1e-6
    assert moved[:3].all() and not moved[3:].any()  # the other parts of the graph


@pytest.mark.parametrize("name", sorted(operators()))
def test_every_operator(name):
    if operators()[name].takes != "aligned":
        pytest.skip("fuses tokens")
    model = zoo.GraphNodeClassifier(SHAPES, 3, fusion=name, units=4)
    assert classify(model).shape == (NODES, 3)


@pytest.mark.parametrize(
    "readout", ["sum", "mean", "max", "token", "query", "words", "node"]
)
def test_every_readout(readout):
    query = readout if readout in ("words", "node") else None
    config = {"readout": "node" if query else readout}
    fusion = {"class_name": "ModalityAttention", "config": config}
    model = built(fusion=fusion, query=query, fusion_stage="late")
    weights = zoo.modality_weights(model, INPUTS)
    assert weights.shape == (NODES, 2)
    assert_close(weights.sum(axis=1), np.ones(NODES, "float32"))


@pytest.mark.parametrize("stage", ["early", "middle", "late"])
def test_what_is_absent_at_a_node_changes_nothing_anywhere(stage):
    model = built(fusion_stage=stage, modality_mask=True)
    there = np.ones((NODES, 2), bool)
    there[1, 0] = False
    absent = (np.arange(NODES) == 1)[:, None]
    words = np.where(absent, np.nan, INPUTS["words"])
    with_nan = classify(model, words=words, modality_mask=there)
    assert_close(with_nan, classify(model, modality_mask=there))
    full = classify(model, modality_mask=np.ones((NODES, 2), bool))
    assert np.abs(full - with_nan).max() > 1e-4


GRAPH_LAYERS = (GraphConvolution, GraphAttention, SimpleGraphConvolution)


def graph_layers(model):
    return {x.name: x for x in model.layers if isinstance(x, GRAPH_LAYERS)}


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "stage, own, shared",
    [
        ("early", [], ["graph_0", "graph_1", "graph_head"]),
        ("middle", [0, 1], ["graph_head"]),
        ("late", [0, 1, 2], []),
    ],
)
def test_where_the_graph_layers_are(stage, own, shared):
    model = built(fusion_stage=stage, graph_depth=3)
    names = [f"{name}_graph_{i}" for name in SHAPES for i in own]
    assert sorted(graph_layers(model)) == sorted(names + shared)


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_arguments_reach_the_graph_layers():
    heads = {"graph": "gat", "num_heads": 4, "attention_dropout": 0.25}
    model = built(fusion_stage="middle", kernel_regularizer="l2", **heads)
    found = graph_layers(model)
    for name, layer in found.items():
        assert layer.num_heads == (1 if name == "graph_head" else 4)
        assert layer.dropout == 0.25 and layer.kernel.regularizer is not None
    assert len(model.losses) == sum(
        "kernel" in w.name for layer in found.values() for w in layer.weights
    )


@pytest.mark.only_on("torch", reason="no backend changes it")
def test_depth_is_the_number_of_fusions():
    def fusions(depth):
        model = zoo.GraphNodeClassifier(SHAPES, 3, depth=depth, units=4)
        return sum(type(x).__name__ == "ModalityAttention" for x in model.layers)

    assert [fusions(1), fusions(3)] == [1, 3]


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("units, straight", [(5, []), (4, ["graph_0_residual"])])
def test_residuals_add_the_input_of_a_layer(units, straight):
    config = {"units": units, "fusion": ALONE, "residual": True, "dropout": 0.0}
    model = randomize(zoo.GraphNodeClassifier({"words": 5}, 3, **config))
    names = [layer.name for layer in model.layers]
    assert [name for name in names if name.endswith("_residual")] == straight
    inputs = {"words": INPUTS["words"], "edge_index": EDGES}
    x = inputs["words"]
    kept = x if not straight else model.get_layer(straight[0])(x)
    expected = to_numpy(model.get_layer("graph_0")(x, EDGES)) + to_numpy(kept)
    found = keras.Model(model.input, model.get_layer("graph_0_add").output)(inputs)
    assert_close(found, expected)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("rate", ["dropout", "attention_dropout", "modality_dropout"])
def test_rates_move_training_alone(rate):
    model = built(graph="gat", **{rate: 0.5})
    plain = classify(model)
    assert_close(to_numpy(model(INPUTS, training=False)), plain)
    moved = [to_numpy(model(INPUTS, training=True)) for _ in range(2)]
    assert np.abs(moved[0] - moved[1]).max() > 1e-4


def test_mask_and_weights_make_no_other_layers():
    plain, masked = built(), built(modality_mask=True, edge_weight=True)
    masked.set_weights(plain.get_weights())
    ones = {"modality_mask": np.ones((NODES, 2), bool)}
    ones["edge_weight"] = np.ones(EDGES.shape[1], "float32")
    assert_close(classify(masked, **ones), classify(plain))
    heavy = ones | {"edge_weight": 3 * ones["edge_weight"]}
    assert np.abs(classify(masked, **heavy) - classify(plain)).max() > 1e-4


def test_probabilities():
    assert_close(classify(built()).sum(axis=1), np.ones(NODES, "float32"))


def test_without_top():
    assert built(include_top=False).output_shape == (None, 16)
    assert built(include_top=False, fusion_stage="late").output_shape == (None, 16)


def test_words_alone_are_the_published_gcn():
    nn = pytest.importorskip("torch_geometric.nn", reason="it is not installed")
    import torch

    shapes, config = {"words": 5}, {"units": 4, "fusion": ALONE}
    model = randomize(zoo.GraphNodeClassifier(shapes, 3, **config))
    first, second = nn.GCNConv(5, 4), nn.GCNConv(4, 3)
    with torch.no_grad():
        for layer, number in ((first, "graph_0"), (second, "graph_head")):
            ours = model.get_layer(number)
            layer.lin.weight.copy_(torch.from_numpy(to_numpy(ours.kernel).T))
            layer.bias.copy_(torch.from_numpy(to_numpy(ours.bias)))
        edges = torch.from_numpy(EDGES).long()
        hidden = first(torch.from_numpy(INPUTS["words"]), edges).relu()
        expected = second(hidden, edges).softmax(-1).numpy()
    inputs = {"words": INPUTS["words"], "edge_index": EDGES}
    assert_close(model(inputs), expected)


def test_words_alone_are_the_published_gat():
    nn = pytest.importorskip("torch_geometric.nn", reason="it is not installed")
    import torch

    config = {"units": 8, "fusion": ALONE, "graph": "gat", "num_heads": 2}
    model = randomize(zoo.GraphNodeClassifier({"words": 5}, 3, **config))
    first, second = nn.GATConv(5, 4, heads=2), nn.GATConv(8, 3)
    with torch.no_grad():
        for layer, name in ((first, "graph_0"), (second, "graph_head")):
            ours = model.get_layer(name)
            pairs = [
                (layer.lin.weight, ops.transpose(ours.kernel)),
                (layer.att_src, ours.source_kernel),
                (layer.att_dst, ours.target_kernel),
                (layer.bias, ours.bias),
            ]
            for theirs, value in pairs:
                theirs.copy_(torch.from_numpy(to_numpy(value)).reshape(theirs.shape))
        edges = torch.from_numpy(EDGES).long()
        hidden = torch.nn.functional.elu(
            first(torch.from_numpy(INPUTS["words"]), edges)
        )
        expected = second(hidden, edges).softmax(-1).numpy()
    inputs = {"words": INPUTS["words"], "edge_index": EDGES}
    assert_close(model(inputs), expected)


def test_a_saved_model_gives_the_same(tmp_path):
    model = built(graph="gat", modality_mask=True)
    there = {"modality_mask": np.ones((NODES, 2), bool)}
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_close(classify(again, **there), classify(model, **there))


@pytest.mark.parametrize(
    "config, message",
    [
        ({"fusion_stage": "before"}, "No fusion_stage 'before'.*early, middle, late"),
        ({"graph": "gin"}, "No graph 'gin'"),
        ({"fusion_stage": "middle", "graph_depth": 1}, "at least 2 for .*middle"),
        ({"graph": "gat", "edge_weight": True}, "gat computes the weights"),
        ({"query": "text"}, "No query 'text'"),
    ],
)
def test_arguments_that_do_not_fit(config, message):
    with pytest.raises(ValueError, match=message):
        zoo.GraphNodeClassifier(SHAPES, 3, **config)


def test_modalities_that_are_no_vectors():
    with pytest.raises(ValueError, match="modalities of a node are vectors"):
        zoo.GraphNodeClassifier({"image": (4, 4, 1)}, 3)


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("heads", [None, "average"])
def test_a_dict_of_arrays_is_no_graph_as_a_batch(heads, tmp_path):
    model = zoo.GraphNodeClassifier(
        {"words": 4}, 3, fusion="Summation", units=4, heads=heads
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    edges = np.array([[0, 1], [1, 0]], "int32")
    graph = {"words": rng.normal(size=(5, 4)).astype("float32"), "edge_index": edges}
    model.save(tmp_path / "model.keras")
    for asked in (model, keras.models.load_model(tmp_path / "model.keras")):
        for call in (asked.fit, asked.evaluate):
            with pytest.raises(ValueError, match="graphs.FullGraph"):
                call(graph, np.zeros(5))
        with pytest.raises(ValueError, match="graphs.FullGraph"):
            asked.predict(graph)
        whole = FullGraph({"words": graph["words"]}, edges, np.zeros(5, "int32"))
        asked.fit(whole, verbose=0)
        assert asked.predict(whole, verbose=0).shape == (5, 3)


def test_a_name_that_is_taken():
    with pytest.raises(ValueError, match="cannot be called 'node'"):
        zoo.GraphNodeClassifier({"node": 4}, 3)
