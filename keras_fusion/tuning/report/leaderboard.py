"""The trials of a search, best first, and the baselines that fusion had to clear."""

from keras_fusion.experiments.reports.tables import spread
from keras_fusion.tuning.results import Reference, Results, Trial
from keras_fusion.tuning.space import CONCATENATION, LATE, ONLY
from keras_fusion.tuning.trials import LOSS

BASELINES = ("concatenation", LATE, "best single")


def ranked(trials: list[Trial]) -> list[Trial]:
    """The trials that completed, best mean score first, of equal ones the smaller.

    Those that were trained to their end come before all others: the score of a short
    training says little about the model that a long one makes.
    """
    completed = [t for t in trials if t.status == "completed"]
    return sorted(completed, key=lambda t: (-t.finished, -t.score, t.parameters))


def unfinished(trials: list[Trial]) -> str | None:
    """One sentence where no trial of these was trained to its end."""
    best = ranked(trials)[0]
    if best.finished:
        return None
    return (
        f"No trial was trained to its end: the best was trained for {best.epochs} "
        f"of {best.recipe['training']['epochs']} epochs. A longer search, or "
        "--promote, trains to the end."
    )


def baselines(trials: list[Trial]) -> dict[str, Trial]:
    """The best trial of concatenation, late average and a single modality."""
    best = {}
    for trial in ranked(trials):
        kind = baseline_of(trial)
        if kind is not None:
            best.setdefault(kind, trial)
    return {kind: best[kind] for kind in BASELINES if kind in best}


def baseline_of(trial: Trial) -> str | None:
    """The kind of baseline that a trial is, None of a fusion."""
    fusion = trial.fusion
    if fusion.startswith(ONLY):
        return "best single"
    return {CONCATENATION: "concatenation", LATE: LATE}.get(fusion)


def rows(
    trials: list[Trial], limit: int = 10, references: dict[str, Reference] | None = None
) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the best trials, of baselines not among them, of references.

    Args:
        trials: From `tuning.summaries`.
        limit: How many of the best.
        references: From `references.judge`.
    """
    header = ["trial", "fusion", "encoder depth", "depth", "epochs", "score"]
    header += ["parameters", "seconds", "ms"]
    shown = ranked(trials)[:limit]
    shown += [t for t in baselines(trials).values() if t not in shown]
    of = ranked(trials)[0].metric
    referred = [
        ["", x.trial, "", "", "", score_text(x), "", f"{x.seconds:.1f}", ""]
        for x in referred_to(references or {}, of)
    ]
    return header, [_row(t) for t in shown] + referred


def referred_to(references: dict[str, Reference], metric: str) -> list[Trial]:
    """The references as trials that are called by their names."""
    return [
        Trial(
            trial=name,
            status="completed",
            metric=metric,
            scores=[found.score],
            score=found.score,
            seconds=found.seconds,
        )
        for name, found in references.items()
    ]


def ahead_text(results: Results) -> str | None:
    """One sentence where something that needs no search is better than every trial."""
    best = ranked(results.trials)[0].score
    found = {n: x.score for n, x in results.references.items() if x.score > best}
    if not found:
        return None
    name = max(found, key=found.get)
    return f"Better on validation than every trial: {name}, {100 * found[name]:.1f} %."


def ensemble_text(results: Results) -> str | None:
    """One sentence on the ensemble of a search, beside its best trial."""
    found = results.ensemble
    if not found.weights:
        return None
    if len(found.weights) == 1:
        return "No mean of several trials was better than a single one."
    alone, together = ranked(results.trials)[0].score, found.scores[-1]
    members = ", ".join(f"{n} x {w}" for n, w in found.weights.items())
    return (
        f"The mean of trials {members} has {100 * together:.1f} % on validation, where "
        f"it was chosen; the best alone has {100 * alone:.1f} %."
    )


def counted(trials: list[Trial]) -> str:
    """How many completed and failed, in words."""
    failed = [t for t in trials if t.status == "failed"]
    words = f"{len(trials) - len(failed)} trials completed"
    return f"{words}, {len(failed)} failed" if failed else words


def described(trial: Trial) -> str:
    """One trial in one line: what it was, and its score or why it failed."""
    name = f"trial {trial.trial}: {fusion_text(trial.values)}"
    if trial.status == "failed":
        return f"{name} failed: {trial.reason}"
    return (
        f"{name}: {score_text(trial)} after {trial.epochs} epochs, "
        f"{trial.seconds:.1f} s"
    )


def score_text(trial: Trial) -> str:
    """The score over seeds: in percent, or a loss as it is."""
    if trial.metric != LOSS:
        return f"{spread(trial.scores)} %"
    losses = [-score for score in trial.scores]
    return f"loss {spread(losses, scale=1, digits=4)}"


def fusion_text(values: dict) -> str:
    """The operator and what belongs to it: `ModalityAttention(readout=query)`."""
    name = values["fusion"]
    own = [
        f"{k.removeprefix(name + '.')}={v}"
        for k, v in values.items()
        if k.startswith(name + ".")
    ]
    return f"{name}({', '.join(own)})" if own else name


def values_text(values: dict) -> str:
    """All other active hyperparameters: `units=64, dropout=0.2`."""
    name = values["fusion"]
    others = {k: v for k, v in values.items() if not k.startswith((name, "tuner/"))}
    return ", ".join(f"{k}={v}" for k, v in others.items() if k != "fusion")


def _row(trial):
    values = trial.values
    return [
        trial.trial,
        fusion_text(values),
        str(values.get("encoder_depth", "")),
        str(values.get("depth", "")),
        str(trial.epochs),
        score_text(trial),
        f"{trial.parameters:,}",
        f"{trial.seconds:.1f}",
        f"{trial.latency:.1f}",
    ]
