"""Runs the concordance index of lifelines 0.30.3, with ties of times and of risks.

MIT license. It needs autograd, autograd-gamma, formulaic and interface-meta, too.
"""

import numpy as np
from lifelines.utils import concordance_index

from tests.recorded.recording import write

rng = np.random.default_rng(0)
times = np.ceil(rng.exponential(4, 60))
events = rng.random(60) < 0.6
risks = np.round(rng.normal(0, 2, 60) - times / 4)
index = concordance_index(times, -risks, events)  # its scores are higher for later
arrays = {"times": times, "events": events, "risks": risks, "index": index}
write("lifelines", "lifelines", "MIT", arrays)
