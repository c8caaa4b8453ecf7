"""The examples in docstrings run and tell the truth."""

import doctest
import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import keras_fusion
from keras_fusion import layers

PACKAGES = ("attribution", "calibration", "layers", "ops", "zoo")


def modules():
    for package in PACKAGES:
        parent = importlib.import_module(f"{keras_fusion.__name__}.{package}")
        yield parent.__name__
        for found in pkgutil.walk_packages(parent.__path__, f"{parent.__name__}."):
            yield found.name


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize("name", list(modules()))
def test_examples_run(name):
    known = {n: getattr(layers, n) for n in layers.__all__}
    module = importlib.import_module(name)
    tests = doctest.DocTestFinder(exclude_empty=True).find(
        module, extraglobs={"keras": keras, "np": np, **known}
    )
    runner = doctest.DocTestRunner(verbose=False)
    report = []
    for test in tests:
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", sorted(set(layers.__all__) - {"Fusion"}))
def test_every_layer_shows_an_example(name):
    assert ">>> " in inspect.getdoc(getattr(layers, name))


@pytest.mark.only_on("torch", reason="no backend changes it")
@pytest.mark.parametrize(
    "package",
    ["balancing", "graphs", "layers", "losses", "metrics", "ops", "survival", "tuning"],
)
def test_constructors_have_type_hints(package):
    module = importlib.import_module(f"{keras_fusion.__name__}.{package}")
    classes = [
        x
        for name, x in vars(module).items()
        if inspect.isclass(x) and x.__module__.startswith(module.__name__)
    ]
    bare = [
        f"{x.__name__}: {p.name}"
        for x in classes
        if "__init__" in vars(x)
        for p in inspect.signature(x).parameters.values()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.annotation is p.empty
    ]
    assert classes and not bare
