"""Recorded runs of other people's code, and how near to them ours has to be.

`record_<name>.py` says which package it runs, of which version and license, and writes
`<name>.npz`; `test_<name>.py` compares. To record again, install the package beside
what the tests need, and call `python -m tests.recorded.record_<name>`.
"""

import importlib
import importlib.machinery
import importlib.metadata
import pathlib
import sys
import types

import numpy as np

from tests.conftest import to_numpy

FOLDER = pathlib.Path(__file__).parent
TOLERANCE = 1e-5  # of each number, and of the largest; most of theirs are float64


def alone(name):
    """A module by its dotted name, without what importing its packages would import."""
    *packages, _ = name.split(".")
    found = importlib.machinery.PathFinder.find_spec(packages[0])
    folder = pathlib.Path(found.origin).parents[1]
    for count in range(1, len(packages) + 1):
        package = types.ModuleType(".".join(packages[:count]))
        package.__path__ = [str(folder.joinpath(*packages[:count]))]
        sys.modules[package.__name__] = package
    return importlib.import_module(name)


def write(name, package, license, arrays):
    """Writes `<name>.npz`: the arrays, and `package`, which says what ran."""
    version = importlib.metadata.version(package)
    said = np.array(f"{package} {version} ({license})")
    np.savez_compressed(FOLDER / f"{name}.npz", package=said, **arrays)


def weights_of(module, prefix):
    """The weights of a torch module as arrays, named `prefix/...`."""
    return {f"{prefix}/{n}": w.detach().numpy() for n, w in module.named_parameters()}


def read(name, prefix=""):
    """The arrays whose names begin with `prefix`, without it."""
    with np.load(FOLDER / f"{name}.npz") as file:
        names = [n for n in file.files if n.startswith(prefix)]
        return {n.removeprefix(prefix): file[n] for n in names}


def affine(weights, name):
    """`(D + 1, U)` of a torch `Linear`: a kernel as Keras has it, below it the bias."""
    kernel = weights[f"{name}.weight"].T
    return np.vstack([kernel, weights.get(f"{name}.bias", np.zeros(kernel.shape[1]))])


def assign_affine(layer, found):
    """Gives a `Dense` the kernel and bias of an `affine`."""
    layer.kernel.assign(found[:-1])
    layer.bias.assign(found[-1])


def assert_recorded(actual, expected):
    """Equal shapes, and numbers that differ by rounding in float32."""
    actual = to_numpy(actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(
        actual, expected, rtol=TOLERANCE, atol=TOLERANCE * np.abs(expected).max()
    )
