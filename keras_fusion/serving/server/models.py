"""The models of a folder, kept up with what lies in it."""

import contextlib
import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import folders
from keras_fusion.serving.server.servable import Servable
from keras_fusion.serving.server.warming import warm

Labels = dict[str, dict[str, int]]  # {model: {label: version}}


class State(NamedTuple):
    """Where a version is: LOADING, AVAILABLE or END, with what ended it if an error."""

    name: str
    error: str = ""


class Failure(NamedTuple):
    """Of a version to load: its files by then, how often, and when it is due again."""

    fingerprint: tuple
    times: int
    due: float


class Models:
    """Loads the newest version of each model, and those that carry a label.

    A newer version is loaded and warmed before the older one lets go, and a version
    that cannot be loaded never displaces one that is. What a request holds outlives
    the change: the table is replaced, never altered, and memory goes with the last
    request.

    What cannot be loaded is tried again as TensorFlow Serving does, and anew when a
    file of it changes. A folder that cannot be looked at changes nothing.

    Args:
        folder: Holds models' folders of versions, or is one.
        labels: Version by label by model.
        retries: Of a load that failed.
        retry_seconds: Between them.
        say: Is told, once each, what was loaded, let go or passed over.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        labels: Labels | None = None,
        retries: int = 5,
        retry_seconds: float = 60.0,
        say: Callable[[str], None] = print,
    ):
        self._folder = Path(folder)
        self._labels = labels or {}
        self._retries, self._retry_seconds = retries, retry_seconds
        self._say = _never_raising(say)
        self._said = {}
        self._available: dict[str, dict[int, Servable]] = {}
        self._states: dict[str, dict[int, State]] = {}
        self._failed: dict[Path, Failure] = {}
        self._refreshing = threading.Lock()

    def refresh(self) -> None:
        """Looks at the folder once and loads or lets go what it asks for."""
        with self._refreshing:
            found = folders.models(self._folder)
            for name in sorted(found.keys() | self._available.keys()):
                self._refresh_model(name, found.get(name))

    def get(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Servable:
        """The version to ask, the newest that is loaded unless one is named.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        if label is not None:
            version = self.version_of(name, label)
        loaded = self._available.get(name, {})
        wanted = max(loaded, default=None) if version is None else version
        if wanted in loaded:
            return loaded[wanted]
        asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise ServingError("NOT_FOUND", f"Servable not found for request: {asked}")

    def version_of(self, name: str, label: str) -> int:
        """The version that carries a label.

        Raises:
            ServingError: If none does.
        """
        if label not in self._labels.get(name, {}):
            raise invalid(f"Unrecognized servable version label: {label}")
        return self._labels[name][label]

    def states(self, name: str, version: int | None = None) -> dict[int, State]:
        """The states of all versions seen, newest first, or of one.

        Raises:
            ServingError: NOT_FOUND.
        """
        states = self._states.get(name, {})
        if version is not None and version in states:
            return {version: states[version]}
        if version is not None or not states:
            which = "any versions" if version is None else f"version {version}"
            raise ServingError("NOT_FOUND", f"Could not find {which} of model {name}")
        return dict(sorted(states.items(), reverse=True))

    def names(self) -> list[str]:
        """The models that answer."""
        return sorted(name for name, loaded in self._available.items() if loaded)

    def _refresh_model(self, name, folder):
        try:
            found = folders.versions(folder) if folder else folders.Found({}, [])
        except OSError as error:
            sentence = f"{folder} cannot be looked at, so nothing changes: {error}"
            return self._say_once(name, [sentence])
        complete, notes = found
        self._say_once(name, notes)
        loaded = self._available.get(name, {})
        wanted = {max(complete)} if complete else set()
        wanted |= complete.keys() & set(self._labels.get(name, {}).values())
        for version in sorted(wanted - loaded.keys()):
            servable = self._load(name, version, complete[version])
            if servable is not None:
                loaded = loaded | {version: servable}
                self._available = self._available | {name: loaded}
        if wanted <= loaded.keys():
            self._let_go(name, loaded.keys() - wanted)

    def _load(self, name, version, folder):
        before = folders.fingerprint(folder)
        failed = self._failed.get(folder)
        if failed is None or failed.fingerprint != before:
            failed = Failure(before, 0, 0.0)
        if failed.times > self._retries or time.monotonic() < failed.due:
            return None
        try:
            self._set(name, version, State("LOADING"))
            servable = Servable(folder)
            warm(servable, self._say)
        except Exception as error:  # TensorFlow raises many kinds
            due = time.monotonic() + self._retry_seconds
            self._failed[folder] = Failure(before, failed.times + 1, due)
            reason = " ".join(str(error).split())[:300]
            self._set(name, version, State("END", reason))
            self._say(f"{folder} cannot be loaded: {reason}")
            return None
        self._failed.pop(folder, None)
        self._set(name, version, State("AVAILABLE"))
        self._say(f"loaded {name} version {version}")
        return servable

    def _let_go(self, name, versions):
        for version in sorted(versions):
            kept = {v: s for v, s in self._available[name].items() if v != version}
            self._available = self._available | {name: kept}
            self._set(name, version, State("END"))
            self._say(f"let go {name} version {version}")
        if versions:
            gc.collect()  # a loaded SavedModel is full of cycles

    def _set(self, name, version, state):
        states = self._states.get(name, {}) | {version: state}
        self._states = self._states | {name: states}

    def _say_once(self, name, notes):
        for note in notes:
            if note not in self._said.get(name, ()):
                self._say(note)
        self._said[name] = notes


def _never_raising(say):
    """`say`, where nobody may be listening any more: a pipe that broke, a full disk."""

    def tell(sentence):
        with contextlib.suppress(Exception):
            say(sentence)

    return tell
