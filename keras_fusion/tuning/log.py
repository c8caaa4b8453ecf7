"""What a search asked and was told, line by line in one file that only grows."""

import json
import os
from pathlib import Path

from keras_fusion.common.errors import InputError

LOG = "search.jsonl"


class Log:
    """Events of a search, in the order in which they happened.

    A kill can only cut off the last line. Such a line is dropped when the file is
    opened again.
    """

    def __init__(self, folder: Path):
        self.path = folder / LOG
        self.events = []
        if self.path.is_file():
            text = self.path.read_text()
            whole = text[: text.rfind("\n") + 1]
            if whole != text:
                os.truncate(self.path, len(whole.encode()))
            try:
                self.events = [json.loads(line) for line in whole.splitlines()]
            except ValueError as error:
                raise InputError(f"{self.path} is broken ({error}).") from error

    def add(self, **event) -> dict:
        """Appends an event, which is on the disk when this returns."""
        with self.path.open("a") as file:
            file.write(json.dumps(event) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.events.append(event)
        return event
