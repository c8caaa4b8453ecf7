"""The trials of a search, best first, and the bar that fusion had to clear."""

import statistics

from keras_fusion.tables import spread
from keras_fusion.tuning.space import LATE, ONLY


def ranked(trials: list[dict]) -> list[dict]:
    """The trials that completed, best mean score first."""
    completed = [t for t in trials if t["status"] == "completed"]
    return sorted(completed, key=lambda t: -statistics.fmean(t["scores"]))


def bars(trials: list[dict]) -> dict[str, dict]:
    """The best trial of concatenation, late average and a single modality."""
    kinds = {
        "concatenation": lambda fusion: fusion == "Concatenation",
        "late average": lambda fusion: fusion == LATE,
        "best single": lambda fusion: fusion.startswith(ONLY),
    }
    best = {}
    for trial in reversed(ranked(trials)):
        for kind, belongs in kinds.items():
            if belongs(trial["values"]["fusion"]):
                best[kind] = trial
    return best


def rows(trials: list[dict], limit: int = 10) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the best trials, then of the bar if it is not among them."""
    header = ["trial", "fusion", "depth", "score", "parameters", "seconds", "ms"]
    shown = ranked(trials)[:limit]
    shown += [t for t in bars(trials).values() if t not in shown]
    return header, [_row(t) for t in shown]


def counted(trials: list[dict]) -> str:
    """How many completed and failed, in words."""
    failed = [t for t in trials if t["status"] == "failed"]
    words = f"{len(trials) - len(failed)} trials completed"
    return f"{words}, {len(failed)} failed" if failed else words


def _row(trial):
    values = trial["values"]
    depths = [values.get("encoder_depth"), values.get("depth")]
    return [
        trial["trial"],
        _fusion(values),
        "+".join(str(d) for d in depths if d is not None),
        spread(trial["scores"]),
        f"{trial['parameters']:,}",
        f"{trial['seconds']:.1f}",
        f"{trial['latency']:.1f}",
    ]


def _fusion(values):
    """The operator and what belongs to it: `ModalityAttention(readout=query)`."""
    name = values["fusion"]
    own = [
        f"{k.removeprefix(name + '.')}={v}"
        for k, v in values.items()
        if k.startswith(name + ".")
    ]
    return f"{name}({', '.join(own)})" if own else name


def described(trial: dict) -> str:
    """One trial in one line: what it was, and its score or why it failed."""
    name = f"trial {trial['trial']}: {_fusion(trial['values'])}"
    if trial["status"] == "failed":
        return f"{name} failed: {trial['reason']}"
    return f"{name}: {spread(trial['scores'])} % in {trial['seconds']:.1f} s"
