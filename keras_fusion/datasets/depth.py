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
    depth = np.asarray(depth, np.float32)
    depth = np.where(depth > 0, depth, np.nan)
    normal = np.full_like(depth, np.nan)
    for row in np.flatnonzero(np.isfinite(depth).any(axis=(1, 2))):
        low, middle, high = np.nanpercentile(depth[row], (25, 50, 75))
        scale = (high - low) or 1.0  # of a flat scene: in its own unit
        normal[row] = np.clip((depth[row] - middle) / scale, -LIMIT, LIMIT)
    return normal[..., None]
