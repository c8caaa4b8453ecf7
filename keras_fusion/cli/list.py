"""`keras-fusion list`."""

import dataclasses

from keras_fusion import datasets, layers, zoo
from keras_fusion.cli.console import console
from keras_fusion.cli.results import print_paired, print_results
from keras_fusion.common.catalogue import find
from keras_fusion.common.errors import InputError
from keras_fusion.experiments import comparison, recipes
from keras_fusion.experiments.reports import tables
from keras_fusion.experiments.results import read
from keras_fusion.zoo import published


def run(options) -> None:
    """Prints everything that has a name, or the published results of a recipe."""
    if options.recipe:
        return _print_published(options)
    if options.method:
        raise InputError("--method is one of a recipe's results: name the recipe too.")
    kinds = {
        "operators": {n: _first_line(c) for n, c in layers.operators().items()},
        "builders": {n: _first_line(b) for n, b in zoo.builders().items()},
        "recipes": {n: _recipe_line(n) for n in published.names()},
        "data sets": {n: "known" for n in datasets.names()}
        | {name: "your own" for name in datasets.own()},
    }
    for kind, entries in kinds.items():
        console.print(
            tables.rich_table(kind, ["name", "what it is"], [*entries.items()])
        )


def _print_published(options):
    recipes.read(options.recipe)  # says so if there is none
    file = recipes.file_of(options.recipe)
    stem = "results" if file.name == recipes.RECIPE else file.stem
    path = file.with_name(f"{stem}.json")
    if not path.is_file():
        raise InputError(
            f"{options.recipe} has no published results; {path} is not there."
        )
    results = read(path)
    method = options.method and _method(options.method, results)
    console.print(f"from {path}, measured on {results.date}")
    if not method:
        return print_results(results)
    others = comparison.paired(results, method)
    print_paired(options.method, dataclasses.replace(results, paired=others))


def _method(name, results):
    """Its key in the results, of the name that tables give it as well."""
    titles = {tables.method_title(m, results): m for m in results.scores}
    return find("method", name, titles | {m: m for m in results.scores})


def _recipe_line(name):
    file = published.folder() / name / "results.json"
    if not file.is_file():
        return "no results yet"
    found = read(file)
    runs = found.scores[comparison.MODEL].all
    return (
        f"{found.recipe.dataset}: {tables.spread(runs)} % {found.metric}, "
        f"{len(runs)} seeds"
    )


def _first_line(thing):
    return thing.__doc__.strip().splitlines()[0]
