"""What a `.keras` or weights file may look like, before anything in it is loaded."""

import json
import math
import zipfile
from pathlib import Path

import h5py
import keras

from keras_fusion.common import kerashub
from keras_fusion.common.errors import InputError, first_line
from keras_fusion.safety import allowed

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
_INFLATION = 100  # times its size on disk that an archive may unpack to
_SMALL = 2**20  # bytes that may always be unpacked


def check_model(path: str | Path, compiled: bool) -> None:
    """Refuses a `.keras` file that is not what Keras writes of a pure model.

    Args:
        path: The file.
        compiled: Whether it is loaded with its losses, metrics and optimizer.

    Raises:
        ValueError: If the file is not whole.
        ImportError: If it has layers of KerasHub, which is not installed.
        Unsafe: If it unpacks to far more than it is, points to other files, or names a
            class that is not pure (see `allowed.check`).
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path)
            config = json.loads(archive.read(CONFIG))
            if not compiled:
                config.pop("compile_config", None)
            _import_hub(config)
            allowed.check(config, f"{path}")
            _check_widths(config, path)
            with archive.open(WEIGHTS) as file:
                check_weights(file, path)
    except (allowed.Unsafe, ImportError):
        raise
    except Exception as error:  # zipfile, zlib, json and h5py raise many kinds
        reason = first_line(error)
        raise InputError(f"{path} is not a whole .keras file: {reason}") from error


def load_model(path: str | Path, compile: bool) -> keras.Model:
    """The model of a `.keras` file, in safe mode, once `check_model` has passed it.

    Args:
        path: The file.
        compile: Whether it is compiled as it was saved.

    Raises:
        ValueError: If there is no such file, or as `check_model` raises it.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no model {path}.")
    check_model(path, compiled=compile)
    try:
        return keras.saving.load_model(path, compile=compile)
    except Exception as error:  # zipfile, h5py and Keras raise many kinds
        reason = first_line(error)
        raise InputError(f"{path} is not a whole .keras file: {reason}") from error


def check_weights(file, path: str | Path | None = None) -> None:
    """Refuses a file of weights that points elsewhere or declares what it lacks.

    Args:
        file: A path, or an open file.
        path: The name of an open file, for the message.

    Raises:
        Unsafe: If it holds a link, the data of another file, or an array that is
            larger than what is stored of it.
        OSError: If it is no HDF5 file.
    """
    with h5py.File(file) as weights:
        # h5py stops at the first name for which something is returned; it breaks where
        # something is raised.
        found = weights.visititems_links(_foreign_link) or weights.visititems(_unstored)
    if found:
        raise allowed.Unsafe(f"{path or file} {found}")


def check_preset(folder: Path) -> None:
    """Refuses a folder of KerasHub that names or points to what is not pure.

    A preset that is no folder is one of KerasHub's own, and passes.

    Raises:
        Unsafe: As `allowed.check` and `check_weights` raise it.
        ValueError: If one of its files is not whole.
    """
    for path in folder.glob("*.json"):
        allowed.check(json.loads(path.read_text(encoding="utf-8")), f"{path}")
    for path in folder.glob("*.h5"):
        check_weights(path)


def _foreign_link(name, link):
    if not isinstance(link, h5py.HardLink):
        return f"holds a link, {name!r}. Expected weights alone."


def _unstored(name, data):
    if not isinstance(data, h5py.Dataset):
        return None
    if data.external or data.is_virtual:
        return f"takes {name!r} out of another file."
    stored = data.id.get_storage_size()
    if stored * _INFLATION < data.nbytes:
        return f"declares {data.nbytes} bytes for {name!r} and stores {stored}."


def _import_hub(config):
    """Makes the layers of KerasHub known where a file names some, as a person would."""
    names = (str(found.get("registered_name")) for found in allowed.objects(config))
    if any(name.startswith(kerashub.REGISTERED) for name in names):
        kerashub.package()


def _check_sizes(archive, path):
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(_INFLATION * path.stat().st_size, _SMALL):
        raise allowed.Unsafe(
            f"{path} has {path.stat().st_size} bytes and unpacks to {unpacked}."
        )
    foreign = [
        name
        for name in archive.namelist()
        if name not in (CONFIG, WEIGHTS, "metadata.json")
        and not name.startswith("assets/")
    ]
    if foreign:
        raise allowed.Unsafe(
            f"{path} holds {foreign[0]!r}, which Keras does not write."
        )


def _check_widths(config, path):
    """Refuses a layer of more weights than the file has room for."""
    room = 2 * path.stat().st_size * _INFLATION  # four bits are the fewest of a number
    for found in allowed.objects(config):
        numbers = _fewest_weights(found)
        if numbers > room + _SMALL:
            raise allowed.Unsafe(
                f"{path} declares a {found['class_name']} of {numbers} weights, more "
                f"than a file of {path.stat().st_size} bytes holds."
            )


def _fewest_weights(found):
    """The product of what goes in and what comes out of a layer of Keras."""
    inner, build = found.get("config"), found.get("build_config")
    if not isinstance(inner, dict) or found.get("module") != "keras.layers":
        return 0
    taken = inner.get("input_dim")
    shape = build.get("input_shape") if isinstance(build, dict) else None
    if taken is None and isinstance(shape, list) and shape:
        taken = shape[1 if inner.get("data_format") == "channels_first" else -1]
    sizes = inner.get("units"), inner.get("filters"), inner.get("output_dim"), taken
    known = [x for x in sizes if isinstance(x, int) and x > 1]
    groups = inner.get("groups")
    return math.prod(known) // (groups if isinstance(groups, int) and groups else 1)
