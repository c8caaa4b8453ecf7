"""The ensemble that a search chose, as one model."""

from pathlib import Path

from keras_fusion import zoo
from keras_fusion.common.errors import InputError
from keras_fusion.common.files import write_json
from keras_fusion.experiments import comparison, evaluation, saving
from keras_fusion.experiments.recipes import load_data
from keras_fusion.experiments.tasks import task_of
from keras_fusion.tuning import trials
from keras_fusion.tuning.report.leaderboard import fusion_text
from keras_fusion.tuning.results import Results
from keras_fusion.tuning.search_file import recipe_of
from keras_fusion.tuning.space import alone

RECORD = "ensemble.json"


def check(results: Results) -> None:
    """Raises an InputError unless the search chose several trials."""
    if len(results.ensemble.weights) < 2:
        raise InputError(
            "The search found no ensemble that is better than its best trial: promote "
            "that one, without --ensemble."
        )


def promote_ensemble(results: Results, searched: Path, folder: Path) -> dict:
    """Writes the ensemble of a search as `model.keras`, which takes raw features.

    Its members are the trials of the first seed as they are: nothing is trained. The
    members were chosen by the validation rows, so the record has the test rows, too,
    on which nothing is chosen.

    Args:
        results: From `tuning.results`.
        searched: Folder of the search, with its trials.
        folder: Gets the model with what goes with it, and `ensemble.json`.

    Returns:
        The record: `metric`, `members` (`weight`, `fusion` and `validation` by trial),
        the `validation` score of the mean, and `test`, the scores of the `ensemble` and
        of its `best` member by validation.

    Raises:
        InputError: If the search chose fewer than two trials.
    """
    check(results)
    chosen, search = results.ensemble, results.search
    seed = search.training.seeds[0]
    data = load_data(recipe_of(search), seed)
    task, weights = task_of(data), chosen.weights
    own = {t.trial: t for t in results.trials if t.trial in weights}
    found = {
        name: _members(search, own[name], data, seed, searched) for name in weights
    }
    counts = list(weights.values())
    model = zoo.ensemble([scaled for scaled, _ in found.values()], counts)
    deployed = zoo.ensemble([raw for _, raw in found.values()], counts)
    folder.mkdir(parents=True, exist_ok=True)
    saving.save(deployed, data, folder)
    best = max(weights, key=lambda name: own[name].scores[0])

    def tested(model):
        outputs = evaluation.full_outputs(model, data.test)
        return task.score(data.test.labels, outputs)

    record = {
        "metric": task.metric,
        "members": {
            name: {
                "weight": weights[name],
                "fusion": fusion_text(own[name].values),
                "validation": own[name].scores[0],
            }
            for name in weights
        },
        "validation": chosen.scores[-1],
        "test": {"ensemble": tested(model), "best": tested(found[best][0])},
    }
    write_json(folder / RECORD, record)
    return record


def _members(search, trial, data, seed, searched):
    """The model of a trial for scaled features, and the one for raw features."""
    modality = alone(trial.fusion)
    data = data.only(modality) if modality else data
    recipe = recipe_of(search, **trial.recipe)
    path = trials.folder_of(searched, trial.trial) / f"seed-{seed}"
    scaled = comparison.trained(recipe, data, path)
    used = comparison.trained(recipe, data, path, **task_of(data).deployed_head)
    return scaled, zoo.deployable(used, data.statistics, task=data.named_task)
