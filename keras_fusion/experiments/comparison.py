"""A recipe's model beside what everybody should beat, trained the same way."""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.common.names import safe_names
from keras_fusion.common.provenance import provenance
from keras_fusion.datasets import Dataset
from keras_fusion.experiments import classical, evaluation, schema, single_run, training
from keras_fusion.experiments import variants as forms
from keras_fusion.experiments.confidence import judged_confidence
from keras_fusion.experiments.contributions import score_contributions
from keras_fusion.experiments.corruption import corrupted_scores
from keras_fusion.experiments.over_seeds import listed
from keras_fusion.experiments.recipes import Recipe, load_data, plain
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.results import Fit, Fits, Interval, Results
from keras_fusion.experiments.tasks import task_of

ONLY, WITHOUT = "only-", "without-"
MODEL, CONCATENATION = "model", "concatenation"
LATE, SINGLE = "late average", "best single"
METHODS = (MODEL, CONCATENATION, LATE, SINGLE, classical.BOOSTING, classical.LINEAR)


def variants(recipe: Recipe, data: Dataset, leave_out: bool = False) -> dict:
    """What is trained for a comparison: `(recipe, data)` by name.

    `model` and the recipe's baselines by their names. Where there are several
    modalities also, unless it wants no usual ones, `concatenation` and `only-<m>` for
    each modality m, and with `leave_out` `without-<m>`, the recipe's model that never
    sees m.

    Raises:
        ValueError: If a baseline has the name of another method.
    """
    names = list(data.input_shapes)
    own = {*METHODS, *(f"{kind}{m}" for kind in (ONLY, WITHOUT) for m in names)}
    if taken := own & {*recipe.baselines}:
        raise InputError(
            f"No baseline of a recipe may be called {' or '.join(sorted(taken))}: "
            "comparisons call a method of their own so."
        )
    fits = {MODEL: (recipe, data)}
    fits |= {name: (forms.baseline(recipe, name), data) for name in recipe.baselines}
    if len(names) == 1:  # of which all these would be the model itself
        return fits
    if recipe.usual_baselines:
        fits[CONCATENATION] = forms.concatenation(recipe), data
        fits |= {f"{ONLY}{m}": (forms.only(recipe, m), data.only(m)) for m in names}
    if leave_out:
        for m in names:
            unseen = data.without(m)
            fewer = forms.of_modalities(recipe, unseen.input_shapes)
            fits[f"{WITHOUT}{m}"] = fewer, unseen
    return fits


def compare(
    recipe: Recipe,
    seeds: Iterable[int],
    folder: Path,
    *,
    part: str = "test",
    precision: str = "float32",
    devices: int = 1,
    leave_out: bool = False,
    corrupt: bool = False,
    report: Callable[[str, Record], None] = lambda name, record: None,
) -> Results:
    """Trains what is not trained yet, and judges all on data it has not seen.

    The baselines have the model's encoders, training run and validation choice: each
    single modality (the best of a seed is chosen by validation; where validation rows
    train too, by the rows it is judged on, which favors it), their average, and
    concatenation. So have the recipe's own baselines. Boosted trees and a linear model
    are fitted to the same rows; see `classical`.

    Args:
        recipe: From `recipes.read`.
        seeds: One split and one run of every method each.
        folder: Gets the runs, `<variant>/seed-<seed>/`.
        part: What to judge on, `"test"`, or `"validation"` to choose by.
        precision: Keras dtype policy.
        devices: Of this machine, on which each model trains.
        leave_out: Also train, for each modality, a model that never sees it.
        corrupt: Also judge all with inputs that lie, as `corrupted`; see `corruption`.
        report: Is told name and record of every fit as it ends.

    Returns:
        What `results.json` holds.
    """
    scores, measures, lies, retrained, fits = {}, {}, {}, {}, []
    weights, contributions, confidence = [], [], []
    for seed in seeds:
        data = load_data(recipe, seed)
        task, split = task_of(data), getattr(data, part)
        chosen = variants(recipe, data, leave_out)
        paths = {
            name: folder / place / f"seed-{seed}"
            for name, place in _folders(chosen, data.input_shapes).items()
        }
        records = {}
        for name, variant in chosen.items():
            records[name] = training.fit(
                *variant, seed, paths[name], precision=precision, devices=devices
            )
            report(f"{name}, seed {seed}", records[name])

        def load(name, mask=True, chosen=chosen, paths=paths):
            return trained(*chosen[name], paths[name], modality_mask=mask)

        names = list(data.input_shapes)
        singles = [f"{ONLY}{m}" for m in names if f"{ONLY}{m}" in chosen]
        unseen = {f"{WITHOUT}{m}" for m in names}
        models = {n: load(n) for n in chosen if n not in unseen}
        if singles:
            models[LATE] = _late_average(data, load)
        if recipe.usual_baselines:
            models |= classical.fitted(data, seed)
        judged = {
            name: _judged(model, split, task, corrupt) for name, model in models.items()
        }
        best = None
        if singles:
            best = _best(singles, records, judged, recipe.split)
            judged[SINGLE] = judged[best]
        for method in _ordered(judged, singles):
            for kept, found in zip((scores, measures, lies), judged[method]):
                kept.setdefault(method, []).append(found)
        weights.append(evaluation.class_weights(models[MODEL], split, data.class_names))
        contributions.append(score_contributions(models[MODEL], split, task))
        confidence.append(judged_confidence(models[MODEL], data, split, records[MODEL]))
        for m in [m for m in names if f"{WITHOUT}{m}" in chosen]:
            rest = getattr(data.without(m), part)
            outputs = evaluation.full_outputs(load(f"{WITHOUT}{m}"), rest)
            retrained.setdefault(m, []).append(task.score(rest.labels, outputs))
        fits.append(_summary(seed, best, records))
    whole = {
        "recipe": plain(recipe),
        "part": part,
        "notes": [*data.notes, *_missing_baselines(recipe, data)],
        "precision": precision,
        "metric": task.metric,
        "scores": {method: listed(runs) for method, runs in scores.items()},
        "measures": {method: listed(runs) for method, runs in measures.items()},
        "corrupted": {m: listed(x) for m, x in lies.items()} if corrupt else {},
        "retrained_without": retrained,
        "modality_weights": listed(weights),
        "contributions": listed(contributions) or None,
        "confidence": listed(confidence) or None,
        "paired": {},
        "fits": fits,
        **provenance(),
    }
    results = schema.read(Results, whole, recipe.name)
    intervals = paired(results, leave_out=singles)  # the best stands for all
    return dataclasses.replace(results, paired=intervals)


def _folders(chosen, modalities):
    """The folder of each variant: a modality may be called `../x`."""
    safe = safe_names(modalities)
    own = {f"{kind}{m}": f"{kind}{safe[m]}" for kind in (ONLY, WITHOUT) for m in safe}
    return {name: own.get(name, name) for name in chosen}


def _missing_baselines(recipe, data):
    if not recipe.usual_baselines:
        return []
    missing = classical.refusal(data) or classical.without_boosting(data)
    return [missing] if missing else []


def _judged(model, split, task, corrupt):
    """Scores with all there and with parts missing, other measures, and under lies."""
    found = evaluation.missing_scores(model, split, task.score)
    outputs = evaluation.full_outputs(model, split)
    lies = corrupted_scores(model, split, task.score) if corrupt else {}
    return found, task.measures(split.labels, outputs), lies


def _best(singles, records, judged, split):
    """The name of the best single modality of a seed; see `compare`."""
    if split.train_on_validation:
        return max(singles, key=lambda name: judged[name][0]["all"])
    return max(singles, key=lambda name: records[name].validation)


def _late_average(data, load):
    """The mean of the outputs of the models of one modality each."""
    return zoo.LateFusionClassifier(
        data.input_shapes,
        data.classes,
        models={m: load(f"{ONLY}{m}", mask=False) for m in data.input_shapes},
        modality_mask=True,
    )


def _ordered(names, singles):
    """Methods as a table lists them: the known ones first, single modalities last."""
    known = [m for m in METHODS[:2] if m in names]
    own = [m for m in names if m not in METHODS and m not in singles]
    last = [m for m in METHODS[2:] if m in names]
    return [*known, *own, *last, *singles]


def trained(recipe: Recipe, data: Dataset, folder: Path, **arguments):
    """The model that was fitted in `folder`, with `modality_mask` unless it says no."""
    arguments = {"modality_mask": True} | arguments
    weights = str(folder / single_run.WEIGHTS)
    return forms.build(recipe, data, weights=weights, **arguments)


def _summary(seed, best, records):
    kept = {
        name: {key.name: getattr(record, key.name) for key in dataclasses.fields(Fit)}
        for name, record in records.items()
    }
    return Fits(seed, best and best.removeprefix(ONLY), kept)


def paired(
    results: Results, method: str = MODEL, leave_out: Iterable[str] = ()
) -> dict[str, dict[str, Interval]]:
    """One method against each other, with all there and with half missing.

    Args:
        results: With the scores of every method.
        method: Whose differences.
        leave_out: Methods that it is not compared with.
    """
    runs = results.scores[method]
    half = str(max(1, len(runs.missing) // 2))
    conditions = {"all": lambda found: found.all}
    if half in runs.missing_random:
        conditions[f"{half} missing"] = lambda found: found.missing_random[half]
    return {
        other: {
            name: evaluation.paired_interval(pick(runs), pick(found))
            for name, pick in conditions.items()
        }
        for other, found in results.scores.items()
        if other != method and other not in leave_out
    }
