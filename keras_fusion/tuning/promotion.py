"""From the best trial of a search to a recipe of its own."""

import dataclasses
from pathlib import Path

from keras_fusion.common.errors import InputError
from keras_fusion.common.escaping import markdown, markdown_code, one_line
from keras_fusion.common.files import whole
from keras_fusion.experiments.recipes import Recipe
from keras_fusion.experiments.reports.card import BEGIN, END
from keras_fusion.tuning.report.leaderboard import (
    fusion_text,
    ranked,
    score_text,
)
from keras_fusion.tuning.results import Results, Trial
from keras_fusion.tuning.search_file import plain, recipe_of
from keras_fusion.tuning.space import CONCATENATION, LATE, ONLY

SEEDS = [0, 1, 2, 3, 4]


def promote(results: Results, folder: Path) -> Path:
    """Writes the best fusion of a search as a recipe that also trains on validation.

    Args:
        results: From `tuning.results`.
        folder: Called as the recipe will be; gets `recipe.toml` and the card.

    Returns:
        The recipe's file.

    Raises:
        ImportError: If tomli-w is not installed.
        ValueError: If no fusion was trained.
    """
    try:
        import tomli_w
    except ImportError as error:
        raise ImportError(
            'A recipe is written by tomli-w: pip install "keras-fusion[tuning]".'
        ) from error
    search = results.search
    recipe, trial = folder / "recipe.toml", best_fusion(results.trials)
    own = plain(recipe_of(search, **trial.recipe))
    own["split"] |= {"train_on_validation": True}
    epochs = _best_after(trial) or own["training"]["epochs"]
    own["training"] |= {"seeds": SEEDS, "patience": 0, "epochs": epochs}
    default = plain(Recipe(name=own["name"], dataset=""))
    content = {
        key: _without_none(value)
        for key, value in own.items()
        if key == "builder" or value != default[key]
    }
    heading = (
        f"# keras-fusion train {one_line(folder.name)}\n#\n"
        f"# Trial {trial.trial} of the search {one_line(search.name)}.\n"
    )
    with whole(recipe) as beside:
        beside.write_text(heading + tomli_w.dumps(content), encoding="utf-8")
    with whole(folder / "README.md") as beside:
        card = _card(folder.name, search, trial, results)
        beside.write_text(card, encoding="utf-8")
    return recipe


def best_fusion(trials: list[Trial]) -> Trial:
    """The trial to promote: in a single modality and in an average is nothing fused."""
    for trial in ranked(trials):
        fusion = trial.fusion
        if fusion != LATE and not fusion.startswith(ONLY):
            return trial
    raise InputError("There is no fusion to promote: none was trained to its end.")


def seconds_of(trial: Trial, epochs: int) -> float:
    """About how long a model of this trial takes to train for so many epochs."""
    beside = trial.seconds - trial.training
    return beside + trial.training * epochs / trial.epochs


def baseline_that_won(trials: list[Trial]) -> str | None:
    """One sentence where no search was needed for the best of these trials."""
    winner, promoted = ranked(trials)[0], best_fusion(trials)
    name = winner.fusion
    won = f"In the search a baseline won: {name}, with {score_text(winner)}"
    if winner is not promoted:
        return f"{won}; the best fusion has {score_text(promoted)}."
    return f"{won}." if name == CONCATENATION else None


def _without_none(value):
    """TOML has no None; it is the default wherever a recipe could say it."""
    if not isinstance(value, dict):
        return value
    return {k: _without_none(v) for k, v in value.items() if v is not None}


def _card(name, search, trial, results):
    budget, fusion = search.search, fusion_text(trial.values)
    won = baseline_that_won(results.trials)
    dataset, split = markdown_code(search.dataset), markdown(_split(search.split))
    here = f"zoo/{name}"
    weights = markdown_code(f'weights="{here}/model.weights.h5"')
    train, layers = f"keras-fusion train {here}", "import keras_fusion.layers"
    facts = {
        "Data": f"{dataset}, split as {split}; trained here on "
        "the rows that validated in the search, too.",
        "Training": f"[recipe.toml](recipe.toml), trial {trial.trial} of the search "
        f"{markdown_code(search.name)}: {score_text(trial)} on validation"
        f"{_after(trial)}.",
        "Searched": f"{len(results.trials)} trials worth {budget.trials} full "
        f"ones, by {budget.tuner} search, seed {budget.seed}.",
        "Compared with": "the same recipe, so without a search of their own: "
        "concatenation, each modality alone and their average. The best single one is "
        "chosen by rows that it was trained on.",
        "Use": f"from the folder that holds `zoo`, {weights} in Python; "
        f"{markdown_code(train)} saves a model, which `keras.models.load_model` takes "
        f"after {markdown_code(layers)}.",
    }
    return CARD.format(
        name=markdown(name),
        fusion=markdown(fusion),
        won=f"\n\n{markdown(won)}" if won else "",
        facts="\n".join(f"- **{key}**: {text}" for key, text in facts.items()),
        begin=BEGIN,
        end=END,
    )


def _split(split):
    """How rows are split, in words; what is left as it is by default is not said."""
    known = dataclasses.asdict(split)
    by = known.pop("by")
    return ", ".join([by, *(f"{key} = {x}" for key, x in known.items() if x)])


def _best_after(trial):
    """Epochs to train for: no rows are left to stop by. None where nobody knows."""
    return trial.best_epoch if trial.finished else None


def _after(trial):
    """Words on how long it trained, and whether a longer training may move a score."""
    if trial.finished:
        best = _best_after(trial)
        return (
            f", best after {best} epochs; here it is trained for as many"
            if best
            else ""
        )
    return f" after {trial.epochs} of {trial.recipe['training']['epochs']} epochs"


CARD = """# {name}

{fusion}, found by searching operators and depth together.{won}

{facts}

## Results

{begin}

Not measured yet.

{end}
"""
