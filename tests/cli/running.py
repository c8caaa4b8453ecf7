"""Commands of `keras-fusion`, run in this process."""

import contextlib
import io
from pathlib import Path

from keras_fusion.cli import main as cli
from keras_fusion.cli.console import console
from keras_fusion.experiments.reports import card

CARD = f"# A card\n\n{card.BEGIN}\nold\n{card.END}\n\nThe end.\n"


def run(*arguments):
    """Exit status, stdout and stderr of one command."""
    console.width = 200  # nothing is folded
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main([str(a) for a in arguments])
    return status, out.getvalue(), err.getvalue()


def succeed(*arguments):
    status, out, err = run(*arguments)
    assert (status, err) == (0, ""), err
    return out


def tree(folder):
    """Every file under `folder` with its content."""
    return {p: p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}
