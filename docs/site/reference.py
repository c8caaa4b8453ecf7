"""A page of the reference for each public module: whatever its `__all__` names."""

import importlib

MODULES = {
    "layers": "Layers",
    "ops": "Functions of tensors",
    "zoo": "Models",
    "attribution": "Who contributed what",
    "balancing": "Balanced training",
    "calibration": "Calibration",
    "datasets": "Data sets",
    "graphs": "Graphs",
    "export": "Export",
    "serving": "Serving",
    "tuning": "Search",
    "losses": "Losses",
    "metrics": "Metrics",
    "survival": "Times until an event",
    "testing": "Testing",
}


def page(name: str) -> str:
    """The page of `keras_fusion.<name>`, as mkdocstrings reads it."""
    module = importlib.import_module(f"keras_fusion.{name}")
    entries = [f"::: {path}" for path in public(module)]
    intro = (module.__doc__ or "").split(">>>")[0].strip()
    return "\n\n".join([f"# {MODULES[name]}", intro, *entries])


def public(module) -> list[str]:
    """Where each public class or function of the module is defined."""
    names = getattr(module, "__all__", None) or sorted(vars(module))
    things = {name: getattr(module, name) for name in names if name[0] != "_"}
    return [
        f"{thing.__module__}.{thing.__qualname__}"
        for thing in things.values()
        if callable(thing) and thing.__module__.startswith("keras_fusion.")
    ]
