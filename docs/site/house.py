"""The picture of the house: what every part of the package imports, floor by floor."""

import ast
import pathlib

import boxes


def picture(package: pathlib.Path) -> str:
    """An SVG with a box for each part and a line from it to what it imports."""
    graph = imports(package)
    rows = boxes.by_floor(graph)[::-1]
    text = {part: [part] for part in graph}
    edges = [(a, b) for a in graph for b in sorted(graph[a])]
    return boxes.picture(rows, boxes.centered(rows), text, edges)


def imports(package: pathlib.Path) -> dict[str, set[str]]:
    """`{part: the parts that it imports}` of the folders and files of a package."""
    files = sorted(package.rglob("*.py"))
    parts = {path.relative_to(package).with_suffix("").parts[0] for path in files}
    graph = {part: set() for part in sorted(parts - {"__init__"})}
    for path in files:
        mine = path.relative_to(package).with_suffix("").parts[0]
        for node in ast.parse(path.read_text()).body:
            for name in imported(node):
                theirs = (name.split(".") + [""])[1]
                if name.startswith(f"{package.name}.") and theirs in graph:
                    graph.get(mine, set()).update({theirs} - {mine})
    return graph


def imported(node) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []
