"""The size of the house at two commits, for the page on the architecture.

    python docs/site/figures.py BEFORE [AFTER]

Prints a table: lines of Python by part, imports between parts, and floors. A part of
one file at either commit stands with the others of its kind in one row.
"""

import argparse
import io
import pathlib
import subprocess
import tarfile
import tempfile

import boxes
import house

PACKAGE = "keras_fusion"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default="HEAD")
    options = parser.parse_args()
    both = [measured(options.before), measured(options.after)]
    rooms = sorted({part for lines, _, _ in both for part in lines if "." not in part})
    rows = {room: [lines.get(room, 0) for lines, _, _ in both] for room in rooms}
    single = [sum(n for p, n in lines.items() if "." in p) for lines, _, _ in both]
    rows["single files"] = single
    rows["all lines"] = [sum(lines.values()) for lines, _, _ in both]
    rows["parts"] = [len(graph) for _, graph, _ in both]
    rows["imports between parts"] = [sum(map(len, g.values())) for _, g, _ in both]
    rows["floors"] = [floors for _, _, floors in both]
    print(f"| | {options.before} | now |\n|---|---:|---:|")
    for name, numbers in rows.items():
        print(f"| {name} | {' | '.join(f'{n:,}' if n else '–' for n in numbers)} |")


def measured(commit):
    """Lines by part (`name.py` of a file), imports between parts, and floors."""
    command = ["git", "archive", commit, PACKAGE]
    archive = subprocess.run(command, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        package = pathlib.Path(folder) / PACKAGE
        lines = {}
        for path in package.rglob("*.py"):
            part = path.relative_to(package).parts[0]
            lines[part] = lines.get(part, 0) + len(path.read_text().splitlines())
        graph = house.imports(package)
        return lines, graph, len(boxes.by_floor(graph))


if __name__ == "__main__":
    main()
