"""Where trials keep what they trained, if the machines of a search share no disk."""

import contextlib
import hashlib
import json
import shutil
from pathlib import Path

import keras

from keras_fusion.common.errors import InputError
from keras_fusion.common.files import LOCK, whole
from keras_fusion.tuning.search_file import plain


class Kept(keras.callbacks.Callback):
    """A folder of this machine whose files are kept at an address, too.

    As a callback it sends what is new after every epoch.

    Args:
        address: A folder, or an address of fsspec such as `s3://bucket/path`.
        folder: Exists.

    Raises:
        ImportError: If what reaches such an address is not installed.
        ValueError: If there are no such addresses.
    """

    def __init__(self, address: str, folder: Path):
        super().__init__()
        self.address, self.folder = address, folder
        self._system, self._root = _opened(address)
        self._sent = {}  # by the name at the address

    def fetch(self) -> None:
        """Puts what is kept at the address into the folder.

        Raises:
            OSError: If it could not be read.
        """
        with _told(self.address):
            self._system.invalidate_cache()
            for path in self._system.find(self._root):
                name = path.removeprefix(self._root).lstrip("/")
                own = self.folder / name
                if _is_sent(own) and ".." not in own.parts:
                    own.parent.mkdir(parents=True, exist_ok=True)
                    try:
                        self._system.get_file(path, str(own))
                        self._sent[name] = _state(own)
                    except FileNotFoundError:  # who trained before removed it just now
                        own.unlink(missing_ok=True)

    def send(self) -> None:
        """Keeps the files of the folder at the address, the oldest first.

        So a record that says what is there comes after what it tells of.

        Raises:
            OSError: If it could not be written.
        """
        files = [p for p in self.folder.rglob("*") if p.is_file() and _is_sent(p)]
        with _told(self.address):
            for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
                name = path.relative_to(self.folder).as_posix()
                if self._sent.get(name) != _state(path):
                    self._sent[name] = _state(path)
                    self.put(path)
            for name in [n for n in self._sent if not (self.folder / n).is_file()]:
                with contextlib.suppress(FileNotFoundError):  # of who did the same
                    self._system.rm_file(f"{self._root}/{name}")
                del self._sent[name]

    def on_epoch_end(self, epoch, logs=None):
        self.send()

    def put(self, path: Path) -> None:
        """Keeps one file of the folder at the address, whole or not at all."""
        there = f"{self._root}/{path.relative_to(self.folder).as_posix()}"
        if "file" in self._system.protocol:  # object stores put a file whole or not
            with whole(Path(there)) as beside:
                shutil.copyfile(path, beside)
        else:
            self._system.put_file(str(path), there)


def address_of(storage: str, recipe, modality: str | None, data: dict) -> str:
    """Where a trial is kept: who trains the same on the same finds what is there.

    Args:
        storage: Address of all searches.
        recipe: Of the trial.
        modality: The only one that it sees, or None.
        data: What `identity.require_data` knows of the data.
    """
    known = json.dumps([plain(recipe), modality, data], sort_keys=True)
    digest = hashlib.sha256(known.encode()).hexdigest()[:16]
    return f"{storage.rstrip('/')}/{recipe.name}/{digest}"


def keep(path: Path, address: str) -> None:
    """Keeps a copy of one file at an address.

    Raises:
        ImportError: If what reaches such an address is not installed.
        OSError: If nothing can be written there.
        ValueError: If there are no such addresses.
    """
    kept = Kept(address, path.parent)
    with _told(address):
        kept.put(path)


def _opened(address):
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise ImportError(
            'Storage elsewhere needs fsspec: pip install "keras-fusion[ray]".'
        ) from error
    try:
        system, root = url_to_fs(address)
    except ValueError as error:
        raise InputError(f"storage {address}: {error}.") from error
    return system, root.rstrip("/")


@contextlib.contextmanager
def _told(address):
    """Whatever kind of error a service raises, its address stands in the sentence."""
    try:
        yield
    except Exception as error:
        raise OSError(
            f"{address} cannot be read or written ({type(error).__name__}: {error}); "
            "the same command goes on when that is mended."
        ) from error


def _is_sent(path):
    """Not locks, nor what is half written."""
    return path.name != LOCK and not path.name.startswith(".")


def _state(path):
    found = path.stat()
    return found.st_size, found.st_mtime_ns
