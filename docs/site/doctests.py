"""Examples of docstrings as blocks of code: Markdown takes `>>>` for quotations."""

import re

import griffe

# A prompt, and all lines up to the next empty one, with their indentation.
EXAMPLE = re.compile(r"^( *)>>> .*(?:\n *\S.*)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences every example as griffe reads the sources."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(docstring: str) -> str:
    """The docstring with a fence around each example."""
    return EXAMPLE.sub(
        lambda found: f"{found[1]}```pycon\n{found[0]}\n{found[1]}```", docstring
    )
