"""Hand tools on a bench: color, depth and masks of five kinds of tool.

248 frames of several camera rigs; the 31 to test are all of rig 0.
"""

from pathlib import Path

import numpy as np

from keras_fusion.common.catalogue import find
from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.dataset import Raw
from keras_fusion.datasets.depth import normalize

ARCHIVE = archives.Archive(
    "tools_rgbd.npz",
    "dbe2dd304e0fc7b29eb1c725361a69ad7e87aac06109321f236019a00b653f61",
    "an archive of RGB-D frames of hand tools; its origin is not recorded in it",
)
CONFIGS = ("foreground", "rig_0", "tools")
RUN = 10  # frames in a row that validate together or not at all
TOOLS = ("level", "screwdriver", "clamp", "cup", "hammer")


def columns(path: Path | None = None) -> dict[str, np.ndarray]:
    """The arrays as they are.

    Returns:
        `rgb` (248, 108, 192, 3) uint8; `depth` (248, 108, 192) uint16 in units that
        differ by rig, 0 where there is no reading; `mask` (248, 108, 192) uint8, 0 for
        background and the place in `TOOLS` from 1; `rig` and `is_train` (248,).

    Args:
        path: Of the archive, in place of the folder of `archives`.

    Raises:
        ValueError: If the archive is not there or not the published one.
    """
    return archives.read(ARCHIVE, path)


def read(config: str) -> Raw:
    """`rgb` uint8 and `depth` float32 maps, and masks.

    From a frame to the next a tool or two has been moved, so a frame tells much of its
    neighbors: the groups are runs of ten frames. Those that test were taken later.

    Args:
        config: `"foreground"`, any tool against the bench; `"rig_0"`, likewise from the
            rig alone that is tested on; or `"tools"`, six classes.

    Raises:
        ValueError: If there is no such config, or as `columns` does.
    """
    find("config of tools_rgbd", config, dict.fromkeys(CONFIGS))
    found = columns()
    found["run"] = np.arange(len(found["rig"])) // RUN
    if config == "rig_0":
        rows = found["rig"] == 0
        found = {n: x[rows] for n, x in found.items() if len(x) == len(rows)}
    inputs = {"rgb": found["rgb"], "depth": normalize(found["depth"])}
    names, masks = ("background", *TOOLS), found["mask"]
    if config != "tools":
        names, masks = ("tool",), masks > 0
    return Raw(inputs, masks, found["is_train"], names, groups=found["run"])
