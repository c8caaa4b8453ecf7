"""What studies share: a file of records, from which one that was stopped goes on."""

import argparse
import json
import pathlib
from collections.abc import Callable
from typing import Any

from keras_fusion.common.files import write_json
from keras_fusion.common.provenance import provenance


def parser(doc: str, results: pathlib.Path) -> argparse.ArgumentParser:
    """The options that every study has."""
    found = argparse.ArgumentParser(description=doc.partition("\n")[0])
    found.add_argument("--results", type=pathlib.Path, default=results)
    found.add_argument("--page", action="store_true", help="write the page")
    return found


def read(path: pathlib.Path) -> dict:
    """The records that were found before."""
    return json.loads(path.read_text())["cells"] if path.is_file() else {}


def keep(path: pathlib.Path, cells: dict, done: str) -> None:
    """Writes the records and says what was done."""
    write_json(path, {"cells": cells, **provenance()})
    print(done, flush=True)


def table(data: str, read: Callable[[], Any]) -> Any:
    """What `read` returns, or None after a line that says that its file is not here."""
    try:
        return read()
    except FileNotFoundError as error:
        print(f"{data} is left out: {error}")
        return None
