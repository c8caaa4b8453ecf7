"""The models of a folder, kept up with what lies in it."""

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from keras_fusion.serving.errors import ServingError, invalid
from keras_fusion.serving.server import folders
from keras_fusion.serving.server.servable import Servable

Labels = dict[str, dict[str, int]]  # {model: {label: version}}


class Version(NamedTuple):
    """A state LOADING, AVAILABLE or END, and what answers or what went wrong."""

    state: str
    servable: Servable | None = None
    error: str = ""


class Models:
    """Loads the newest version of each model, and those that carry a label.

    A newer version is loaded before the older one lets go, and a version that cannot be
    loaded never displaces one that is. It is tried again when a file of it changes.
    What a request holds outlives the change, and memory goes with the last request.

    Args:
        folder: Holds models' folders of versions, or is one.
        labels: Version by label by model.
        say: Is told what was loaded, let go or cannot be loaded.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        labels: Labels | None = None,
        say: Callable[[str], None] = print,
    ):
        self._folder, self._labels, self._say = Path(folder), labels or {}, say
        self._versions: dict[str, dict[int, Version]] = {}
        self._failed: dict[Path, tuple] = {}  # fingerprints

    def tell(self, sentence: str) -> None:
        """Says it where somebody listens: a pipe may break and a disk be full."""
        with contextlib.suppress(Exception):
            self._say(sentence)

    def refresh(self) -> None:
        """Looks at the folder once and loads or lets go what it asks for.

        Raises:
            ValueError: If there is no such folder.
            OSError: If it cannot be looked at; then nothing changes.
        """
        models = folders.models(self._folder).items()
        found = {name: folders.versions(folder) for name, folder in models}
        for name in sorted(found.keys() | self._versions.keys()):
            complete = found.get(name, {})
            wanted = {max(complete)} if complete else set()
            wanted |= complete.keys() & set(self._labels.get(name, {}).values())
            for version in sorted(wanted - self._loaded(name).keys()):
                self._load(name, version, complete[version])
            let_go = sorted(self._loaded(name).keys() - wanted)
            if let_go and wanted <= self._loaded(name).keys():
                for version in let_go:
                    self._set(name, version, Version("END"))
                    self.tell(f"let go {name} version {version}")
                gc.collect()  # a loaded SavedModel is full of cycles

    def get(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> Servable:
        """The version to ask, the newest that is loaded unless one is named.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        version = self._version(name, version, label)
        loaded = self._loaded(name)
        wanted = max(loaded, default=None) if version is None else version
        if wanted in loaded:
            return loaded[wanted]
        raise _not_found(name, version)

    def states(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> dict[int, Version]:
        """All versions seen, newest first, or one.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        version = self._version(name, version, label)
        found = sorted(self._versions.get(name, {}).items(), reverse=True)
        asked = {v: state for v, state in found if version in (None, v)}
        if not asked:
            raise _not_found(name, version)
        return asked

    def names(self) -> list[str]:
        """The models that answer."""
        return sorted(filter(self._loaded, self._versions))

    def _loaded(self, name):
        versions = self._versions.get(name, {})
        return {v: found.servable for v, found in versions.items() if found.servable}

    def _version(self, name, version, label):
        if label is None:
            return version
        if label not in self._labels.get(name, {}):
            raise invalid(f"No version of {name[:99]!r} has the label {label[:99]!r}.")
        return self._labels[name][label]

    def _load(self, name, version, folder):
        before = folders.fingerprint(folder)
        if self._failed.get(folder) == before:
            return
        self._set(name, version, Version("LOADING"))
        try:
            self._set(name, version, Version("AVAILABLE", Servable(folder)))
            self.tell(f"loaded {name} version {version}")
        except Exception as error:  # TensorFlow raises many kinds
            self._failed[folder] = before
            reason = " ".join(str(error).split())[:300]
            self._set(name, version, Version("END", error=reason))
            self.tell(f"{folder} cannot be loaded: {reason}")

    def _set(self, name, version, found):
        # Requests read beside this: the table is replaced, never altered.
        versions = self._versions.get(name, {}) | {version: found}
        self._versions = self._versions | {name: versions}


def _not_found(name, version):
    which = "version" if version is None else f"version {version}"
    return ServingError("NOT_FOUND", f"There is no {which} of a model {name[:99]!r}.")
