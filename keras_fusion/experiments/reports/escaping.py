"""Names from outside, such as those of classes and files, as text and nothing else."""

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
