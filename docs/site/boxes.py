"""A drawing of boxes in rows, and of lines from each to boxes in rows below it."""

LETTER, LINE, MARGIN, GAP_X, GAP_Y = 11.5, 24, 12, 24, 46
STYLE = """
  rect { fill: #e8eaf6; stroke: #3f51b5; rx: 6px }
  rect.marked { fill: #c5cae9 }
  text { font: 20px sans-serif; text-anchor: middle; fill: #1a237e }
  path { stroke: #9fa8da; fill: none; stroke-width: 1.5px }
"""
SCALE = 0.65  # the letters are then as large as those of the page


def picture(rows, columns, text, edges, marked=frozenset()) -> str:
    """An SVG.

    Args:
        rows: Lists of boxes, from the top.
        columns: Where the middle of each box is, in widths of a box.
        text: The lines in each box. One that has none is a point on a line.
        edges: Pairs of boxes, the upper one first.
        marked: The boxes that are darker.
    """
    lines = [line for box in text.values() for line in box]
    width = LETTER * max(map(len, lines)) + 2 * MARGIN
    left = min(columns.values()) - 0.5
    places, y = {}, MARGIN
    for row in rows:
        height = max(LINE * len(text[b]) for b in row) + MARGIN
        for b in row:
            x = (columns[b] - left) * (width + GAP_X)
            own = LINE * len(text[b]) + MARGIN if text[b] else height
            places[b] = x, y + (height - own) / 2, own
        y += height + GAP_Y
    drawn = [arrow(places[a], places[b]) for a, b in edges]
    for b, place in places.items():
        drawn.append(box(text[b], width, *place, "marked" if b in marked else "plain"))
    size = (max(columns.values()) + 0.5 - left) * (width + GAP_X), y - GAP_Y + MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SCALE * size[0]:.0f}" '
        f'viewBox="0 0 {size[0]:.0f} {size[1]:.0f}"><style>{STYLE}</style>'
    )
    return "\n".join([head, *drawn, "</svg>"])


def by_floor(graph) -> list[list]:
    """The boxes in lists, the lowest first: each stands above all that it rests on.

    Args:
        graph: `{box: the boxes that it rests on}`.
    """
    floor = {}

    def of(box):
        if box not in floor:
            floor[box] = 1 + max((of(below) for below in graph[box]), default=-1)
        return floor[box]

    highest = max(map(of, graph))
    return [[b for b in graph if floor[b] == level] for level in range(highest + 1)]


def centered(rows) -> dict:
    """Where boxes are that stand side by side, every row in the middle."""
    return {b: i - (len(row) - 1) / 2 for row in rows for i, b in enumerate(row)}


def box(lines, width, x, y, height, kind) -> str:
    if not lines:
        return f'<path d="M{x:.0f},{y:.0f} V{y + height:.0f}"/>'
    base = y + MARGIN / 2 + LINE - 6
    written = [
        f'<text x="{x:.0f}" y="{base + i * LINE:.0f}">{line}</text>'
        for i, line in enumerate(lines)
    ]
    place = f'class="{kind}" x="{x - width / 2:.0f}" y="{y:.0f}"'
    rect = f'<rect {place} width="{width:.0f}" height="{height:.0f}"/>'
    return "".join([rect, *written])


def arrow(above, below) -> str:
    (x1, y1, height), (x2, y2, _) = above, below
    y1 += height
    bend = (y1 + y2) / 2
    curve = f"C{x1:.0f},{bend:.0f} {x2:.0f},{bend:.0f} {x2:.0f},{y2:.0f}"
    return f'<path d="M{x1:.0f},{y1:.0f} {curve}"/>'
