"""Faults that are switched on to see that a law can fail: what mutation tests share."""

import pytest


class Faults(list):
    """The faults of one file, as parameters of its test: `(fault, law, args)`."""

    def breaks(self, law, *args):
        """Registers a fault, a function that gives (owner, attribute, replacement)."""

        def register(fault):
            self.append(pytest.param(fault, law, args, id=fault.__name__))
            return fault

        return register


def check_red(fault, law, args, monkeypatch):
    """Fails unless the law holds, and does not where the fault is switched on."""
    law(*args)
    owner, attribute, replacement = fault()
    monkeypatch.setattr(owner, attribute, replacement)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        law(*args)
