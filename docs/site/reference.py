"""A page of the reference for each public module: whatever one may import of it."""

import ast
import importlib
import inspect

MODULES = {
    "layers": "Layers",
    "ops": "Functions of tensors",
    "zoo": "Models",
    "attribution": "Who contributed what",
    "balancing": "Balanced training",
    "calibration": "Calibration",
    "datasets": "Data sets",
    "datasets.builtin.planetoid": "Graphs of papers",
    "experiments.recipes": "Recipes",
    "graphs": "Graphs",
    "export": "Export",
    "export.portable": "Files for every backend",
    "serving": "Serving",
    "serving.server.server": "The local server",
    "tuning": "Search",
    "losses": "Losses",
    "metrics": "Metrics",
    "survival": "Times until an event",
    "testing": "Testing",
    "common.errors": "Errors",
}


def page(name: str) -> str:
    """The page of `keras_fusion.<name>`, as mkdocstrings reads it."""
    module = importlib.import_module(f"keras_fusion.{name}")
    entries = [f"::: {path}" for path in public(module)]
    intro = (module.__doc__ or "").split(">>>")[0].strip()
    return "\n\n".join([f"# {MODULES[name]}", intro, *entries])


def public(module) -> list[str]:
    """Where each public class or function of the module is defined.

    They are those in `__all__`, those that it imports `as` themselves and its own; of a
    module without `__all__` all that it and its sub-modules define.
    """
    names = {n for n, x in vars(module).items() if _defined_in(x, module)}
    if hasattr(module, "__all__"):
        own = {n for n in names if vars(module)[n].__module__ == module.__name__}
        names = own | {*module.__all__} | _exported(module)
    things = [vars(module).get(name) for name in sorted(names) if name[0] != "_"]
    return [
        f"{thing.__module__}.{thing.__qualname__}"
        for thing in things
        if callable(thing) and thing.__module__.startswith("keras_fusion.")
    ]


def _defined_in(thing, module):
    return callable(thing) and (thing.__module__ or "").startswith(module.__name__)


def _exported(module):
    imports = (
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ImportFrom)
    )
    return {a.name for node in imports for a in node.names if a.name == a.asname}
