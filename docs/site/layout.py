"""Where the boxes of a graph stand, so that its lines are straight and cross little."""

import collections

POINT = 0.25  # the room of a point on a line, in widths of a box
STRAIGHT = 8.0  # how much more a line counts that neither splits nor joins
ROUNDS = 200
ORDERED = 20  # rounds after which the order in a row stays


def through(rows, graph):
    """The rows with a point wherever a line passes one, and lines from row to row.

    Args:
        rows: Lists of boxes, from the top.
        graph: `{box: [boxes above it]}`.
    """
    rows = [list(row) for row in rows]
    level = {box: i for i, row in enumerate(rows) for box in row}
    lines = {}
    for box in graph:
        for above in graph[box]:
            last = above
            for i in range(level[above] + 1, level[box]):
                point = above, i
                if (last, point) not in lines:
                    rows[i].append(point)
                    lines[last, point] = None
                last = point
            lines[last, box] = None
    return rows, list(lines)


def arranged(rows, lines, points):
    """The rows in an order with few crossings, and the middle of each box.

    Round by round the boxes of a row move to the mean place of those that they are
    joined to, as far as they leave one another room.

    Args:
        rows: Lists of boxes, from the top.
        lines: Pairs of boxes, from row to row.
        points: The boxes that are points on lines.
    """
    pulls = _pulls(lines)
    places = {box: float(i) for i, box in enumerate(rows[0])}  # the others follow
    for turn in range(ROUNDS):
        for i, row in enumerate(rows):
            wishes = {box: _wish(box, pulls[box], places) for box in row}
            if turn < ORDERED:
                rows[i] = row = sorted(row, key=lambda box: wishes[box][0])
            room = [POINT if box in points else 1.0 for box in row]
            places |= zip(row, settled([wishes[box] for box in row], room))
    return rows, places


def settled(wishes, room) -> list[float]:
    """The places nearest to those wished for, in this order and without overlap.

    Args:
        wishes: Pairs of a place and how much it counts.
        room: The width of each box.
    """
    offsets = [0.0]
    for a, b in zip(room, room[1:]):
        offsets.append(offsets[-1] + (a + b) / 2)
    groups = []  # of boxes that touch: where they begin, how much it counts, how many
    for (place, weight), offset in zip(wishes, offsets):
        group = place - offset, weight, 1
        while groups and groups[-1][0] >= group[0]:
            a, v, m = groups.pop()
            b, w, n = group
            group = (a * v + b * w) / (v + w), v + w, m + n
        groups.append(group)
    starts = [start for start, _, count in groups for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets)]


def _pulls(lines) -> dict:
    """`{box: {box that it is joined to: how much the line counts}}`."""
    out = [above for above, _ in lines]
    into = [below for _, below in lines]
    pulls = collections.defaultdict(dict)
    for above, below in lines:
        single = out.count(above) == into.count(below) == 1
        pulls[above][below] = pulls[below][above] = STRAIGHT if single else 1.0
    return pulls


def _wish(box, pulls, places):
    """The mean place of what pulls at a box, and how much that counts."""
    pulls = {b: weight for b, weight in pulls.items() if b in places}
    if not pulls:
        return places[box], 1.0
    weight = sum(pulls.values())
    return sum(places[b] * w for b, w in pulls.items()) / weight, weight
