"""Names from outside, such as those of classes and files, as text and nothing else.

There is one function for each medium: the terminal, Markdown, HTML and TOML.
"""

import html as standard
import json

UNSHOWN = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """Without the control characters that move a cursor; lines stay lines."""
    return "".join(c if c.isprintable() or c == "\n" else UNSHOWN for c in text)


def one_line(text: str) -> str:
    """The same on one line."""
    return printable(text).replace("\n", " ")


def markdown(text: str) -> str:
    """As a cell of a Markdown table: no HTML, no link, no end of the cell."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    for mark in "\\|`[]*_":
        text = text.replace(mark, f"\\{mark}")
    return text


def markdown_code(text: str) -> str:
    """As code in Markdown, which has no marks but the one that ends it."""
    return f"`{one_line(text).replace('`', UNSHOWN)}`"


def html(text: str) -> str:
    """As text of a page, or as the value of an attribute in quotes."""
    return standard.escape(printable(text))


def toml(value: str | bool | int | float | list | dict) -> str:
    """As a value of a TOML file; of a text, every character is kept."""
    # TOML takes what JSON writes but for pairs of surrogates and a bare DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
