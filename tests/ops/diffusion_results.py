"""Results of cross-diffusion, beside those of the oracle."""

from tests.conftest import assert_close


def flat(attended, messages):
    """One list of all results, the messages in the order of their pairs."""
    return [*attended, *(y for row in messages for y in row if y is not None)]


def wanted(attended, messages):
    """The same of what the oracle gives."""
    return [*attended, *(messages[pair] for pair in sorted(messages))]


def compare(found, expected, dtype="float32"):
    for y, y_0 in zip(flat(*found), wanted(*expected), strict=True):
        assert_close(y, y_0, dtype)


def options(steps, initial, form, epsilon=0.6):
    return {"steps": steps, "initial": initial, "form": form, "epsilon": epsilon}
