"""The picture of the house: what every part of the package imports, floor by floor."""

import ast
import pathlib

WIDTH, HEIGHT, GAP_X, GAP_Y = 150, 44, 24, 46
STYLE = """
  rect { fill: #e8eaf6; stroke: #3f51b5; rx: 6px }
  text { font: 20px sans-serif; text-anchor: middle; fill: #1a237e }
  path { stroke: #9fa8da; fill: none }
"""


def picture(package: pathlib.Path) -> str:
    """An SVG with a box for each part and an arrow from it to what it imports."""
    graph = imports(package)
    floors = by_floor(graph)
    widest = max(map(len, floors))
    places = {}
    for level, parts in enumerate(reversed(floors)):
        left = (widest - len(parts)) * (WIDTH + GAP_X) / 2
        for i, part in enumerate(parts):
            places[part] = left + i * (WIDTH + GAP_X) + 8, level * (HEIGHT + GAP_Y) + 8
    arrows = [arrow(places[a], places[b]) for a in graph for b in sorted(graph[a])]
    boxes = [box(part, *place) for part, place in places.items()]
    size = widest * (WIDTH + GAP_X), len(floors) * (HEIGHT + GAP_Y)
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {size[0]} {size[1]}"><style>{STYLE}</style>'
    )
    return "\n".join([head, *arrows, *boxes, "</svg>"])


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


def by_floor(graph) -> list[list[str]]:
    """The parts in lists: each stands above everything that it imports."""
    floor = {}

    def of(part):
        if part not in floor:
            floor[part] = 1 + max((of(below) for below in graph[part]), default=-1)
        return floor[part]

    highest = max(map(of, graph))
    return [[p for p in graph if floor[p] == level] for level in range(highest + 1)]


def box(part, x, y) -> str:
    middle, base = x + WIDTH / 2, y + HEIGHT / 2 + 7
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<text x="{middle}" y="{base}">{part}</text>'
    )


def arrow(above, below) -> str:
    (x1, y1), (x2, y2) = above, below
    x1, x2, y1 = x1 + WIDTH / 2, x2 + WIDTH / 2, y1 + HEIGHT
    bend = (y1 + y2) / 2
    return f'<path d="M{x1},{y1} C{x1},{bend} {x2},{bend} {x2},{y2}"/>'
