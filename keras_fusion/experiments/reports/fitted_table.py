"""A table on the terminal that breaks no word."""

import textwrap
from collections.abc import Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from keras_fusion.common.escaping import one_line

GAP = 2  # columns of the terminal between two of the table
_WHOLE_WORDS = {"break_long_words": False, "break_on_hyphens": False}


class FittedTable:
    """As many tables under each other as the width asks for.

    A text is broken between words. Where the columns do not fit beside each other even
    so, the others follow in a further table, which repeats the first column, and the
    second where the first does not name every row. A terminal breaks the title so, too.

    Args:
        title: Above the first table.
        header: Names of the columns.
        rows: Cells as text; numbers stand to the right.
    """

    def __init__(self, title: str, header: list[str], rows: list[list[str]]):
        self.title = one_line(title)
        self.header = [one_line(cell) for cell in header]
        self.rows = [[one_line(cell) for cell in row] for row in rows]

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        title = self.title
        if console.is_terminal:
            title = "\n".join(textwrap.wrap(title, options.max_width, **_WHOLE_WORDS))
        for i, columns in enumerate(self._parts(options.max_width)):
            yield self._table(columns, title if i == 0 else None)

    def _parts(self, width) -> Iterator[list[int]]:
        """The numbers of the columns of each table."""
        needed = [self._longest_word(i) + GAP for i in range(len(self.header))]
        named = 1 if all(row[0] for row in self.rows) else 2
        names = list(range(min(named, len(self.header))))
        part, used = names.copy(), sum(needed[i] for i in names)
        for i in range(len(names), len(self.header)):
            if used + needed[i] > width and len(part) > len(names):
                yield part
                part, used = names.copy(), sum(needed[i] for i in names)
            part.append(i)
            used += needed[i]
        yield part

    def _longest_word(self, i):
        cells = [self.header[i], *(row[i] for row in self.rows)]
        if self._is_number(i):
            return max(map(len, cells))
        return max((len(word) for cell in cells for word in cell.split()), default=1)

    def _is_number(self, i):
        return i > 0 and any(_numeric(row[i]) for row in self.rows)

    def _table(self, columns, title):
        table = Table(
            title=title,
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        for i in columns:
            number = self._is_number(i)
            table.add_column(
                self.header[i],
                justify="right" if number else "left",
                min_width=self._longest_word(i),
                no_wrap=number,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*(row[i] for i in columns))
        return table


def _numeric(cell):
    return cell[:1].isdigit() or (cell[:1] in "+-−" and cell[1:2].isdigit())
