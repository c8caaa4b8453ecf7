"""The error that tells a person what is wrong with what they gave."""


class InputError(ValueError):
    """A file, an option or an array is not what was expected: no fault of the program.

    The command line prints its sentence alone. Any other error is a fault of ours
    there, with a traceback to report.
    """


def first_line(error: Exception) -> str:
    """The first line of what an error says, or its type where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
