"""The page of all builders: the example of each, its sizes and its picture."""

import doctest
import inspect

import costs
import keras
import numpy as np
import operators
import structure

from keras_fusion import zoo
from keras_fusion.common.names import EDGE_INDEX

HEAD = """---
hide: [navigation]
---

# Builders

A builder is a function that returns a functional `keras.Model`. Each is shown here by
the example of its own documentation, so the sizes and costs of two builders compare
only where their examples do. The operations are counted in the graph of a call, and a
multiplication with an addition counts as two.

A picture is read from the top. The inputs stand there, and a line leads from a layer
down to each layer that takes its output. A box has the name of a layer and the shape of
each output, in which B is the batch, or the nodes of a graph, and a dot is a length
that is free. An operator is darker and has the name of its class, too. A model in the
model is one box, and operations between layers have none. Where a picture would have
more than MOST boxes, layers that follow one another share a box.
""".replace("MOST", str(structure.MOST))

SECTION = """
## {name}

{sentence} [Reference](reference/zoo.md#{path})

- It takes {takes}, and gives {gives}.
- It has {weights:,} weights. A call for {row} costs {operations:,.0f} operations.
{source}
```python
{example}```

![The layers of the example of {name}](builders/{name}.svg)
"""


def pages() -> dict[str, str]:
    """The page and its pictures, by their paths."""
    models = {name: example(builder) for name, builder in builders().items()}
    sections = [section(builders()[name], model) for name, model in models.items()]
    return {"docs/builders.md": "".join([HEAD, *sections])} | {
        f"docs/builders/{name}.svg": structure.picture(model)
        for name, model in models.items()
    }


def builders() -> dict:
    """All that the zoo has, by name."""
    found = {n: x for n, x in vars(zoo).items() if inspect.isfunction(x)}
    return {name: found[name] for name in sorted(found) if name[0].isupper()}


def example(builder) -> keras.Model:
    """The model of the example in the builder's docstring."""
    keras.utils.clear_session()  # else names of layers count on from other models
    names = {builder.__name__: builder}
    exec(code(builder), names)
    return names["model"]


def code(builder) -> str:
    """The example without what it prints."""
    examples = doctest.DocTestParser().get_examples(builder.__doc__)
    return "".join(x.source for x in examples if not x.want)


def section(builder, model) -> str:
    doc = inspect.getdoc(builder)
    source = operators.source(doc)
    return SECTION.format(
        name=builder.__name__,
        sentence=" ".join(doc.partition("\n\n")[0].split()),
        path=f"{builder.__module__}.{builder.__name__}",
        takes=shapes(model.input),
        gives=shapes(model.output),
        weights=model.count_params(),
        operations=operations(model),
        row="a node and an edge" if EDGE_INDEX in model.input else "one sample",
        source=f"- Source: {source}\n" if source else "",
        example=code(builder),
    )


def shapes(tensors) -> str:
    """`{name: tensor}`, or one tensor, in words."""
    if not isinstance(tensors, dict):
        return f"`{structure.written(tensors.shape)}`"
    each = [f"`{n}` `{structure.written(x.shape)}`" for n, x in tensors.items()]
    return " and ".join([", ".join(each[:-1]), each[-1]] if each[1:] else each)


def operations(model) -> float:
    """Of one call; every length that is free is 1."""
    inputs = {
        name: np.zeros([n or 1 for n in x.shape], x.dtype)
        for name, x in model.input.items()
    }
    return costs.counted(model, inputs)
