"""Runs the guides and keeps what each of their cells prints, for their pages.

    python docs/site/outputs.py [NAME ...]

It needs what the guides need. What was kept of a guide whose code has changed since is
shown nowhere: a page has the output of the code that it shows, or none.
"""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

GUIDES = pathlib.Path(__file__).resolve().parents[1] / "guides"
KEPT = GUIDES / "outputs.json"
LONGEST = 40  # lines of one cell


def main(names: list[str]) -> None:
    """Runs the guides with these names, or those that have changed."""
    for path in sorted(GUIDES.glob("*.py")):
        if path.stem in names or not names and kept(path) is None:
            print(path.stem, flush=True)
            keep(path, run(path))


def run(path: pathlib.Path) -> list[str]:
    """What each cell prints, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        found = pathlib.Path(folder) / "cells.json"
        command = [sys.executable, __file__, "--cells", str(path), str(found)]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return json.loads(found.read_text())


def cells(path: pathlib.Path) -> list[str]:
    """Runs the cells of a guide, one after the other, in this process."""
    sys.argv = [str(path)]
    scope, printed = {"__name__": "__main__"}, []
    for code in code_cells(path.read_text()):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(code, path.name, "exec"), scope)
        printed.append(shown(out.getvalue()))
    return printed


def code_cells(text: str) -> list[str]:
    """The code of a script in the percent format."""
    parts = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)[1:]
    return [code for head, code in zip(parts[::2], parts[1::2]) if not head.strip()]


def shown(text: str) -> str:
    """What a page has room for, without spaces at the ends of lines."""
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    cut = ["..."] if len(lines) > LONGEST else []
    return "\n".join(lines[:LONGEST] + cut).replace(f"{os.getcwd()}/", "")


def kept(path: pathlib.Path) -> list[str] | None:
    """What the cells of a guide printed; None if its code is other code now."""
    found = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    about = found.get(path.stem, {})
    return about.get("cells") if about.get("source") == digest(path) else None


def keep(path: pathlib.Path, printed: list[str]) -> None:
    found = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    found[path.stem] = {"source": digest(path), "cells": printed}
    there = {name: x for name, x in found.items() if (GUIDES / f"{name}.py").is_file()}
    KEPT.write_text(json.dumps(dict(sorted(there.items())), indent=1) + "\n")


def digest(path: pathlib.Path) -> str:
    """Of the code alone: prose changes no output."""
    code = json.dumps(code_cells(path.read_text()))
    return hashlib.sha256(code.encode()).hexdigest()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--cells"]:
        path, found = map(pathlib.Path, sys.argv[2:])
        found.write_text(json.dumps(cells(path)))
    else:
        main(sys.argv[1:])
