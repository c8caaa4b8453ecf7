"""The picture of a functional model: its layers, from the inputs down."""

import boxes
import keras
import layout

from keras_fusion.layers import Fusion

MOST = 40  # boxes; where there are more, each stands for a chain of layers


def picture(model) -> str:
    """An SVG with a box for each layer and a line from it to those that it feeds."""
    text, graph, operators = layers(model)
    if len(graph) > MOST:
        text, graph = chained(text, graph, operators)
    rows, edges = layout.through(boxes.by_floor(graph), graph)
    text |= {box: [] for row in rows for box in row if box not in text}
    rows, columns = layout.arranged(rows, edges, points=text.keys() - graph.keys())
    return boxes.picture(rows, columns, text, edges, marked=operators)


def layers(model):
    """The lines of each box, what it takes as `{box: [boxes]}`, and the operators.

    A layer that is called twice has two boxes. Operations on tensors that no layer
    makes have none: what takes their results takes what they took.
    """
    text, graph, operators = {}, {}, set()

    def visit(tensor):
        layer, index, _ = tensor._keras_history
        box = layer.name, index
        if box not in graph:
            given = layer._inbound_nodes[index].input_tensors
            sources = list(dict.fromkeys(b for x in given for b in visit(x)))
            if not isinstance(layer, keras.Layer):
                return sources
            text[box], graph[box] = [layer.name], sources
            if isinstance(layer, Fusion):
                text[box].append(type(layer).__name__)
                operators.add(box)
        shape = written(tensor.shape)
        if shape not in text[box]:
            text[box].append(shape)
        return [box]

    for tensor in (*model.input.values(), *keras.tree.flatten(model.output)):
        visit(tensor)
    return text, graph, operators


def written(shape) -> str:
    """`(B, 20, 8)`, and a dot for each further length that is free."""
    first, *others = shape
    free = ["·" if n is None else str(n) for n in others]
    return f"({', '.join(['B' if first is None else str(first), *free])})"


def chained(text, graph, operators):
    """The same where layers that feed one another alone share a box, but operators."""
    taken = [source for sources in graph.values() for source in sources]
    first, joined = {}, {}
    for box, sources in graph.items():  # what a box takes stands before it
        ends = {box, *sources}
        goes_on = len(ends) == 2 and taken.count(*sources) == 1 and not ends & operators
        first[box] = first[sources[0]] if goes_on else box
        lines = joined.setdefault(first[box], [])
        if lines and lines[-1] == text[box][-1]:
            lines.pop()  # a shape is said once, after the last layer that leaves it
        lines += text[box]
    return joined, {box: [first[b] for b in graph[box]] for box in joined}
