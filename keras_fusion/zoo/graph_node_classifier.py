import keras
from keras import layers

from keras_fusion.common.catalogue import find
from keras_fusion.common.names import EDGE_INDEX, EDGE_WEIGHT, safe_names
from keras_fusion.layers import GraphModel
from keras_fusion.zoo.parts.blocks import fuse, template
from keras_fusion.zoo.parts.graph_layers import KINDS, graph_layer, graph_layers
from keras_fusion.zoo.parts.head import check_classes
from keras_fusion.zoo.parts.heads import FUSED, alone, check_heads, joined
from keras_fusion.zoo.parts.inputs import named_inputs, replace_absent
from keras_fusion.zoo.parts.record import builder
from keras_fusion.zoo.parts.replacement import replaced
from keras_fusion.zoo.weights import load_weights

STAGES = ("early", "middle", "late")
NODE = "node"


@builder(by_modality=(), independent_rows=False)
def GraphNodeClassifier(
    input_shapes: dict,
    classes: int,
    *,
    fusion="ModalityAttention",
    fusion_stage: str = "early",
    graph: str = "gcn",
    graph_depth: int = 2,
    num_heads: int = 1,
    depth: int = 1,
    units: int = 64,
    query: str | None = None,
    residual: bool = False,
    dropout: float = 0.5,
    attention_dropout: float = 0.0,
    modality_dropout: float = 0.0,
    replacement: str = "zero",
    kernel_regularizer=None,
    modality_mask: bool = False,
    edge_weight: bool = False,
    heads: str | None = None,
    include_top: bool = True,
    classifier_activation: str | None = "softmax",
    weights: str | None = None,
    name: str = "graph_node_classifier",
) -> keras.Model:
    """A classifier of the nodes of a graph, each with several feature vectors.

    `fusion_stage` says where the modalities become one: `"early"`, before the graph
    layers; `"middle"`, before the last of them, the others being each modality's own;
    `"late"`, after them, with a linear head. Early and middle the last graph layer
    gives the classes: with one modality and
    `fusion={"class_name": "Concatenation", "config": {"units": None}}` the model is
    the published GCN, GAT, GATv2 or SGC.

    Inputs: a dict of `(n, D)` float matrices by modality, n nodes; `edge_index`
    `(2, E)` int32, rows source and target; with `edge_weight=True` `edge_weight`
    `(E,)`; with `modality_mask=True` `modality_mask` `(n, M)` bool, True = present,
    columns in the order of `input_shapes`. What an absent modality holds changes
    nothing, at its node or elsewhere. `fit` and `predict` refuse a dict of arrays:
    give them a `keras_fusion.graphs.FullGraph`.
    Output: `(n, classes)` float32.

    Args:
        input_shapes: Width or shape `(D,)` of each modality, by name.
        classes: Number of classes.
        fusion: As for `FusionClassifier`; the operator must take aligned inputs.
        fusion_stage: See above.
        graph: `"gcn"`, `"gat"`, `"gatv2"` or `"sgc"`.
        graph_depth: Number of graph layers on the way of a modality, hops for SGC;
            at least 2 for `"middle"`.
        num_heads: Heads of GAT and GATv2 layers, but for one that gives the classes.
        depth: Number of fusion blocks.
        units: Width of hidden graph layers and of the fusion.
        query: The query of operators that read out with one: a modality's name, or
            `"node"` for an embedding of the node computed from all its modalities.
        residual: Whether hidden graph layers add their input.
        dropout: Rate for the features before every graph layer.
        attention_dropout: Rate for the attention weights of GAT and GATv2.
        modality_dropout: Rate at which training drops modalities, node by node.
        replacement: As for `FusionClassifier`.
        kernel_regularizer: Of the kernels of the graph layers.
        heads: As for `FusionClassifier`: heads on what the operator fuses.
        modality_mask, edge_weight: Whether the model has these inputs.
        include_top: Whether the model classifies; else its output is `(n, units)`.
        classifier_activation: Of the output.
        weights: None, the name of a trained recipe, or a weights file.
        name: Of the model.

    Raises:
        ValueError: If an argument does not fit; the message says what came.

    Example:

    >>> model = GraphNodeClassifier({"words": 1433, "position": 16}, classes=7)
    >>> model.output_shape
    (None, 7)

    References: Kipf and Welling, 2017. Velickovic et al., 2018. Wu et al., 2019. Brody,
    Alon and Yahav, 2022.
    """
    find("fusion_stage", fusion_stage, dict.fromkeys(STAGES))
    find("graph", graph, KINDS)
    _check(fusion_stage, graph, graph_depth, edge_weight)
    check_heads(heads, include_top)
    if include_top:
        check_classes(classes, classifier_activation)
    inputs = named_inputs(input_shapes, modality_mask)
    _check_names(inputs)
    operator = template(fusion, units)
    if operator.takes != "aligned":
        raise ValueError(
            f"{type(operator).__name__} fuses sets of tokens; the modalities of a node "
            "are aligned vectors."
        )
    streams, mask = replace_absent(inputs, modality_dropout)
    edges = {
        EDGE_INDEX: keras.Input(batch_shape=(2, None), dtype="int32", name=EDGE_INDEX)
    }
    if edge_weight:
        edges[EDGE_WEIGHT] = keras.Input(batch_shape=(None,), name=EDGE_WEIGHT)
    settings = {
        "kind": graph,
        "num_heads": num_heads,
        "attention_dropout": attention_dropout,
        "kernel_regularizer": kernel_regularizer,
    }
    hidden = settings | {"dropout": dropout, "residual": residual}
    before = {"early": 0, "middle": graph_depth - 1, "late": graph_depth}[fusion_stage]
    safe = safe_names(streams)
    for modality, x in streams.items():
        own = f"{safe[modality]}_graph"
        streams[modality] = graph_layers(x, edges, [units] * before, name=own, **hidden)
    seen, heeded = replaced(streams, mask, replacement)
    x = fuse(
        operator,
        list(seen.values()),
        depth,
        modality_mask=heeded,
        query=_query(query, streams, units),
    )
    after = graph_depth - before
    top = include_top and after > 0  # the last graph layer gives the classes
    x = _after(x, edges, after, units, top, hidden)
    if include_top:
        x = layers.Dropout(dropout, name="head_dropout")(x)
        logits = _logits(x, edges, int(classes), after, settings)
        activation = layers.Activation(
            classifier_activation,
            dtype="float32",
            name=FUSED if heads else "predictions",
        )
        x = activation(logits)
    if heads:
        top = {"dropout": dropout, "activation": classifier_activation}
        x = joined(x, alone(streams, classes, **top), heads, mask)
    model = GraphModel(inputs | edges, x, name=name)
    load_weights(model, weights)
    return model


def _after(x, edges, count, units, top, hidden):
    """The graph layers after the fusion, but for one that gives the classes."""
    if hidden["kind"] == "sgc" and top:
        return x  # its hops are those of the last layer
    return graph_layers(x, edges, [units] * (count - top), name="graph", **hidden)


def _logits(x, edges, classes, hops, settings):
    """`(n, classes)` float32, from a graph layer of one head or a linear map."""
    if not hops:
        return layers.Dense(classes, dtype="float32", name="head")(x)
    last = settings | {"num_heads": 1, "dtype": "float32", "name": "graph_head"}
    return graph_layer(units=classes, hops=hops, **last)(x, **edges)


def _query(query, streams, units):
    if query is None:
        return None
    if query == NODE:
        joined = layers.Concatenate(name="node_features")(list(streams.values()))
        return layers.Dense(units, activation="relu", name="node_embedding")(joined)
    return find("query", query, streams)


def _check(stage, kind, graph_depth, edge_weight):
    if type(graph_depth) is not int or graph_depth < 1 + (stage == "middle"):
        raise ValueError(
            f"graph_depth must be a whole number of at least {1 + (stage == 'middle')} "
            f"for fusion_stage={stage!r}; received {graph_depth!r}."
        )
    if edge_weight and kind in ("gat", "gatv2"):
        raise ValueError(
            f"{kind} computes the weights of the edges itself: edge_weight=True is for "
            "gcn and sgc."
        )


def _check_names(inputs):
    if NODE in inputs:
        raise ValueError(f"A modality cannot be called {NODE!r}: that name is taken.")
    wrong = {name: x.shape[1:] for name, x in inputs.items() if len(x.shape) != 2}
    if wrong:
        raise ValueError(
            "The modalities of a node are vectors (D,); received shapes without nodes "
            f"axis {wrong}."
        )
