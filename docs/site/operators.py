"""The table of all operators, from the operators themselves."""

import contextlib
import re

import costs

from keras_fusion import layers

READOUTS = "mean", "sum", "max", "token", "query", "node", "gaussian", None

HEAD = """---
hide: [navigation, toc]
---

# Operators side by side

Every operator takes a list of M tensors, one for each modality, and honors
`modality_mask` `(B, M)`: what is absent has no influence. `tokens` are sets
`(B, T_m, D_m)`; `aligned` are tensors `(B, ..., D_m)` whose leading axes agree.

The cost is how the number of operations grows with M modalities of T tokens or
positions each, of an operator as it is by default. It is counted in the graph of a
call.

| operator | takes | readouts | weights | query | cost | absent modalities | source |
|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page, a row for each operator."""
    rows = [row(name, operator) for name, operator in layers.operators().items()]
    return HEAD + "\n".join(rows) + "\n"


def row(name, operator) -> str:
    readouts = accepted(operator)
    without = "the M streams" if operator.refines else "the latents"
    by_query = any(made(operator, r).uses_query for r in readouts)
    cells = [
        f"[`{name}`](reference/layers.md#{operator.__module__}.{name})",
        operator.takes,
        ", ".join(r and f"`{r}`" or without for r in readouts) or "one tensor",
        "yes" if operator.has_weights else "no",
        "yes" if by_query else "no",
        costs.cost(operator),
        absence(operator),
        source(operator.__doc__ or "") or "elementary",
    ]
    return f"| {' | '.join(cells)} |"


def accepted(operator) -> list[str | None]:
    """The readouts that the operator takes; none where it has no such argument."""
    if "readout" not in operator(units=costs.WIDTH).get_config():
        return []
    found = []
    for readout in READOUTS:
        with contextlib.suppress(ValueError):
            made(operator, readout)
            found.append(readout)
    return found


def made(operator, readout):
    return operator(units=costs.WIDTH, readout=readout)


def absence(operator) -> str:
    """What happens to an absent modality, in the words of the docstring."""
    if operator.rebuilds_absent:
        return "The stream of an absent modality is rebuilt from the others."
    text = " ".join((operator.__doc__ or "").partition("Args:")[0].split())
    sentences = re.split(r"(?<=[.;]) (?=[A-Z*])|(?<=[.,]) \* ", text)
    for words in ("absent modalit", "absent token", "present modalit"):
        for sentence in sentences:
            if words in sentence.lower():
                return sentence  # Markdown leaves a | in code alone
    return "It has no influence."


def source(docstring) -> str:
    """What the docstring names after `Reference:`."""
    found = re.search(r"References?:\s*(.+?)(?:\n\s*\n|\Z)", docstring, re.S)
    return " ".join(found[1].split()).replace("|", "\\|") if found else ""
