"""Where the recipes are: `zoo/` of the checkout, or its copy inside the wheel."""

import pathlib


def folder() -> pathlib.Path:
    """The folder that holds one sub-folder per recipe.

    Only a wheel carries `keras_fusion/_recipes`; where it is missing, the package
    lies in a checkout, beside `zoo/`.
    """
    package = pathlib.Path(__file__).resolve().parents[1]
    packed = package / "_recipes"
    return packed if packed.is_dir() else package.parent / "zoo"


def names() -> tuple[str, ...]:
    """The recipes there are, sorted: sub-folders that hold a `recipe.toml`."""
    return tuple(sorted(path.parent.name for path in folder().glob("*/recipe.toml")))
