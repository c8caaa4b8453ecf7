"""Where commands print to."""

from rich.console import Console

# What a user calls their files and classes is no markup.
console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
