"""Graph layers in depth, by name: what a node hears of its neighbors, hop by hop."""

from keras import layers

from keras_fusion.layers import (
    GraphAttention,
    GraphConvolution,
    SimpleGraphConvolution,
)

KINDS = {"gcn": "relu", "gat": "elu", "gatv2": "elu", "sgc": "linear"}  # activations


def graph_layers(x, edges, widths, *, name, kind, dropout, residual, **settings):
    """Hidden graph layers, one after the other: dropout, layer, activation.

    Args:
        x: Node features `(n, D)`.
        edges: Dict of `edge_index` and, where there is one, `edge_weight`.
        widths: Width of each layer. Those of `"sgc"` are the hops of a single layer.
        name: That of the layers begins with it.
        kind: One of `KINDS`.
        dropout: Rate for the features before each layer.
        residual: Whether each layer's input is added to its output, through a linear
            map where widths differ.
        **settings: For `graph_layer`.
    """
    hops = 1
    if kind == "sgc":
        widths, hops = widths[-1:], len(widths)
    for number, width in enumerate(widths):
        own = f"{name}_{number}"
        layer = graph_layer(kind, width, name=own, hops=hops, **settings)
        heard = layer(layers.Dropout(dropout, name=f"{own}_dropout")(x), **edges)
        if residual:
            kept = x
            if x.shape[-1] != width:
                straight = layers.Dense(width, use_bias=False, name=f"{own}_residual")
                kept = straight(x)
            heard = layers.Add(name=f"{own}_add")([heard, kept])
        x = layers.Activation(KINDS[kind], name=f"{own}_activation")(heard)
    return x


def graph_layer(kind, units, *, num_heads, attention_dropout, hops=1, **config):
    """The layer of this kind; the arguments that it does not know are left out."""
    if kind == "gcn":
        return GraphConvolution(units, **config)
    if kind == "sgc":
        return SimpleGraphConvolution(units, hops=hops, **config)
    config["dropout"] = attention_dropout
    return GraphAttention(units, num_heads, kind, **config)
