"""Whether a folder is that of a search."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np

import keras_fusion
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import read_json, write_json
from keras_fusion.experiments.checkpoint import require_same
from keras_fusion.tuning.search_file import Search, plain

IDENTITY, DATA = "search.json", "data.json"


def begin(search: Search, folder: Path, begun: bool) -> None:
    """Makes the folder, or sees that it is this search's.

    A budget may grow from one call to the next; what is searched may not change.

    Args:
        search: What is searched.
        folder: Of the search.
        begun: Whether a trial was given out there. Else nothing is lost, and what an
            earlier call left, with a wrong label perhaps, is forgotten.
    """
    if not begun:
        for name in (IDENTITY, DATA):
            (folder / name).unlink(missing_ok=True)
    fixed = {k: v for k, v in plain(search).items() if k != "search"}
    fixed |= {"tuner": search.search.tuner, "seed": search.search.seed}
    fixed |= {"version of keras_fusion": keras_fusion.__version__}
    fixed |= {"backend": keras.backend.backend()}
    _write_or_compare(folder / IDENTITY, json.loads(json.dumps(fixed)))


def require_data(folder: Path, data: dict) -> dict:
    """Sees that the data, by seed, are those that the search began with.

    Returns:
        A digest of each.
    """
    digests = {str(seed): _digest(own) for seed, own in data.items()}
    _write_or_compare(folder / DATA, {"data": digests})
    return digests


def _write_or_compare(path, fixed):
    if not path.is_file():
        write_json(path, fixed)
        return
    try:
        found = read_json(path)
    except ValueError as error:
        raise InputError(
            f"{path} is broken ({error}); delete {path.parent}."
        ) from error
    require_same(path.parent, found, fixed)


def _digest(data):
    digest = hashlib.sha256()
    for split in (data.train, data.validation):
        for x in (*split.inputs.values(), split.labels):
            digest.update(np.ascontiguousarray(x).view(np.uint8))
    return digest.hexdigest()
