"""What the command says of an error: the sentence of bad input, or a fault of ours."""

import sys
import tempfile
import traceback

import keras_fusion
from keras_fusion.common.escaping import one_line


def sentence(error: Exception) -> str:
    """An error's own words, without the call that Keras prints around them."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror + (f": {error.filename}" if error.filename else "")
    return one_line(" ".join(text.split()))


def is_ours(error: Exception) -> bool:
    """Whether a part of this package could not be imported, which no input explains."""
    name = getattr(error, "name", None) if isinstance(error, ImportError) else None
    return bool(name) and name.split(".")[0] == keras_fusion.__name__


def report(program: str, error: Exception, debug: bool) -> int:
    """Says that the program failed, and where the traceback is; the exit status 1.

    Raises:
        Exception: The error itself, with `debug`.
    """
    if debug:
        raise error
    with tempfile.NamedTemporaryFile(
        "w", prefix=f"{program}-", suffix=".txt", delete=False
    ) as file:
        file.write(f"{keras_fusion.__name__} {keras_fusion.__version__}\n")
        file.write(f"{' '.join([program, *sys.argv[1:]])}\n\n")
        traceback.print_exception(error, file=file)
    print(
        f"{program}: this is a fault of the program, not of your input: "
        f"{type(error).__name__}: {sentence(error)}\n"
        f"{program}: the traceback is in {file.name}; please open an issue of the "
        "project and attach that file.",
        file=sys.stderr,
    )
    return 1
