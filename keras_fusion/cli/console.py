"""Where commands print to."""

import textwrap

from rich.console import Console

from keras_fusion.common.escaping import printable


class _Plain(Console):
    """What a user calls their files and classes is no markup, and moves no cursor."""

    def print(self, *objects, **options):
        super().print(
            *(printable(x) if isinstance(x, str) else x for x in objects), **options
        )

    def say(self, sentence: str, **options) -> None:
        """Prints a sentence, which a terminal shows broken between words alone.

        Commands and paths are for `print`: a person copies them as one line.
        """
        if self.is_terminal:
            sentence = textwrap.fill(
                sentence, self.width, break_long_words=False, break_on_hyphens=False
            )
        self.print(sentence, **options)

    def verbose(self, quiet: bool) -> int:
        """What `keras.Model.fit` takes: 1 draws bars in a terminal, which in a pipe or
        a file would be control characters, so that 2 prints lines there."""
        if quiet or self.quiet:
            return 0
        return 1 if self.is_terminal else 2


console = _Plain(markup=False, emoji=False, highlight=False, soft_wrap=True)
