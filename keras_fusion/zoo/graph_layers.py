"""Graph layers in depth, by name: what a node hears of its neighbours, hop by hop."""

from keras import layers

from keras_fusion.layers import (
    GraphAttention,
    GraphConvolution,
    SimpleGraphConvolution,
)

EDGES, EDGE_WEIGHT = "edge_index", "edge_weight"
KINDS = {"gcn": "relu", "gat": "elu", "gatv2": "elu", "sgc": None}  # activations


def graph_layers(
    x, edges, kind, widths, *, name, last="hidden", residual=False, **rest
):
    """One graph layer after the other, each with dropout before it.

    Args:
        x: Node features `(n, D)`.
        edges: Dict of `edge_index` and, where there is one, `edge_weight`.
        kind: One of `KINDS`. The layers of `"sgc"` are the hops of a single one.
        widths: Width of each layer.
        name: That of the layers begins with it.
        last: `"hidden"`, or `"logits"` for a last layer of one head, in float32,
            without activation and without residual.
        residual: Whether each layer's input is added to its output, through a linear
            map where widths differ.
        **rest: `dropout`, `attention_dropout`, `num_heads`.
    """
    if kind == "sgc" and widths:
        widths, hops = widths[-1:], len(widths)
    else:
        hops = 1
    for number, width in enumerate(widths):
        own = f"{name}_{number}"
        final = last == "logits" and number == len(widths) - 1
        before = layers.Dropout(rest["dropout"], name=f"{own}_dropout")(x)
        heads = 1 if final else rest["num_heads"]
        layer = _layer(kind, width, hops, heads, rest["attention_dropout"], own, final)
        heard = layer(before, **edges)
        if final:
            return heard
        if residual:
            added = [heard, _same_width(x, width, own)]
            heard = layers.Add(name=f"{own}_add")(added)
        x = layers.Activation(KINDS[kind] or "linear", name=f"{own}_activation")(heard)
    return x


def _layer(kind, units, hops, num_heads, dropout, name, final):
    config = {"name": name} | ({"dtype": "float32"} if final else {})
    if kind == "gcn":
        return GraphConvolution(units, **config)
    if kind == "sgc":
        return SimpleGraphConvolution(units, hops=hops, **config)
    return GraphAttention(units, num_heads, kind, dropout=dropout, **config)


def _same_width(x, width, name):
    if x.shape[-1] == width:
        return x
    return layers.Dense(width, use_bias=False, name=f"{name}_residual")(x)
