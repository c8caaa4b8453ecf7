"""Where commands print to."""

from rich.console import Console

from keras_fusion.escaping import printable


class _Plain(Console):
    """What a user calls their files and classes is no markup, and moves no cursor."""

    def print(self, *objects, **options):
        super().print(
            *(printable(x) if isinstance(x, str) else x for x in objects), **options
        )


console = _Plain(markup=False, emoji=False, highlight=False, soft_wrap=True)
