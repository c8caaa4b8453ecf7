"""The table of all operators, from the operators themselves."""

import re

from keras_fusion import layers

HEAD = """---
hide: [navigation, toc]
---

# Operators side by side

Every operator takes a list of M tensors, one for each modality, and honors
`modality_mask` `(B, M)`: what is absent has no influence. `tokens` are sets
`(B, T_m, D_m)`; `aligned` are tensors `(B, ..., D_m)` whose leading axes agree.

| operator | takes | readouts | weights | query | absent modalities | source |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page, a row for each operator."""
    rows = [row(name, operator) for name, operator in layers.operators().items()]
    return HEAD + "\n".join(rows) + "\n"


def row(name, operator) -> str:
    readouts = ", ".join(f"`{r}`" for r in operator.choices.get("readout", ()))
    cells = [
        f"[`{name}`](reference/layers.md#{operator.__module__}.{name})",
        operator.takes,
        readouts or "one tensor",
        "yes" if operator.has_weights else "no",
        "yes" if "query" in readouts or "node" in readouts else "no",
        absence(operator),
        source(operator.__doc__ or ""),
    ]
    return f"| {' | '.join(cells)} |"


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
