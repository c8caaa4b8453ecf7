"""Medians and ratios over interleaved repeats."""

import statistics
import time
from collections.abc import Callable

SLOW = 2.0  # seconds of a call that needs no others to warm up for


def interleave(
    cases: dict[str, Callable[[], object]], rounds: int, block: float
) -> dict[str, list[float]]:
    """Seconds per call of each case, one number per round.

    Each round times every case once, beginning with another one each time, so that
    whatever slows the machine for a while slows all of them.

    Args:
        cases: Functions that return when their work is done.
        rounds: How often each case is timed.
        block: Seconds that one timing lasts at least, in as many calls as that takes.
    """
    calls, slow = {}, set()
    for name, case in cases.items():
        case()  # compiles
        once = _seconds(case, 1)
        if once > SLOW:
            slow.add(name)
        else:
            once = min(once, *(_seconds(case, 1) for _ in range(2)))
        calls[name] = max(1, round(block / once))
    times = {name: [] for name in cases}
    names = list(cases)
    for r in range(rounds):
        start = r % len(names)
        for name in names[start:] + names[:start]:
            if name not in slow:
                cases[name]()  # brings its data and threads back
            times[name].append(_seconds(cases[name], calls[name]))
    return times


def ratio(times: dict[str, list[float]], over: str, under: str) -> float:
    """Median over the rounds of the time of `over` by that of `under`."""
    return statistics.median(a / b for a, b in zip(times[over], times[under]))


def best(times: dict[str, list[float]], name: str) -> str:
    """The fastest of the cases of this name, `name compiled` or `name plain`."""
    forms = [n for n in (f"{name} compiled", f"{name} plain") if n in times]
    return min(forms, key=lambda n: statistics.median(times[n]))


def milliseconds(times: dict[str, list[float]]) -> dict[str, float]:
    """Median time of each case."""
    return {name: round(1e3 * statistics.median(t), 4) for name, t in times.items()}


def _seconds(case, calls):
    start = time.perf_counter()
    for _ in range(calls):
        case()
    return (time.perf_counter() - start) / calls
