"""Depth maps of any unit as one modality."""

import numpy as np

LIMIT = 4.0


def normalize(depth: np.ndarray) -> np.ndarray:
    """Every map relative to its own median, in units of its interquartile range.

    Cameras differ in unit and range, so that only the shape of a scene compares. A few
    far readings would squeeze all others together: median and quartiles do not see
    them, and they are clipped to 4 either way.

    Args:
        depth: `(N, H, W)` numbers; 0 or NaN where there is no reading.

    Returns:
        `(N, H, W, 1)` float32, NaN where there is no reading.
    """
    normal = np.full(np.shape(depth), np.nan, np.float32)
    for row, scene in enumerate(depth):  # one by one: whole numbers are half as large
        scene = np.asarray(scene, np.float32)
        scene = np.where(scene > 0, scene, np.nan)
        if np.isnan(scene).all():
            continue
        low, middle, high = np.nanpercentile(scene, (25, 50, 75))
        scale = (high - low) or 1.0  # of a flat scene: in its own unit
        normal[row] = np.clip((scene - middle) / scale, -LIMIT, LIMIT)
    return normal[..., None]
