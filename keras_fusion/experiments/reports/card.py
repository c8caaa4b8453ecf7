"""Publishing a recipe: its results, its weights and the tables of its card."""

import shutil
from pathlib import Path

from keras_fusion.common.errors import InputError
from keras_fusion.common.escaping import markdown
from keras_fusion.common.files import whole
from keras_fusion.experiments import comparison, single_run
from keras_fusion.experiments.reports import (
    confidence,
    contributions,
    corruption_tables,
    tables,
)
from keras_fusion.experiments.reports.plots import CAPTIONS, PLOTS
from keras_fusion.experiments.results import Results
from keras_fusion.zoo import published

BEGIN, END = (
    "<!-- results: written by keras-fusion evaluate --publish -->",
    "<!-- end -->",
)


def publish(results: Results, recipe_folder: Path, runs: Path) -> list[Path]:
    """Puts results, plots, the best seed's weights and the tables into the recipe.

    Args:
        results: From `comparison.compare`.
        recipe_folder: `zoo/<recipe>`; its README.md has a place for the tables.
        runs: Where `compare` put its runs.

    Returns:
        The files written.
    """
    best = runs / comparison.MODEL / f"seed-{best_seed(results)}"
    weights = best / single_run.WEIGHTS
    card = recipe_folder / "README.md"
    plots = [name for name in PLOTS if (runs / name).is_file()]
    # before anything is written
    text = replaced(card.read_text(encoding="utf-8"), BEGIN, contents(results, plots))
    written = []
    for source in (weights, *(runs / name for name in plots)):
        with whole(recipe_folder / source.name) as beside:
            shutil.copyfile(source, beside)
        written.append(recipe_folder / source.name)
    if recipe_folder.resolve().parent == published.folder():
        published.list_weights()
    results.write(recipe_folder / "results.json")
    with whole(card) as beside:
        beside.write_text(text, encoding="utf-8")
    return [*written, recipe_folder / "results.json", card]


def best_seed(results: Results) -> int:
    """The seed whose model validated best: its weights are published."""
    fits = zip(results.fits_of(comparison.MODEL), results.seeds)
    return max(fits, key=lambda fit: fit[0].validation)[1]


def replaced(text: str, begin: str, content: str) -> str:
    """A page with what stands between `begin` and the next `END` made anew.

    Raises:
        ValueError: If the page has no such place.
    """
    before, mark, rest = text.partition(begin)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise InputError(f"The card has no place for results: add {begin} and {END}.")
    return f"{before}{begin}\n\n{content}\n\n{END}{after}"


def _other_measures(results):
    if not any(results.measures.values()):
        return []
    return [
        "By other measures, all modalities there:",
        tables.markdown_table(*tables.measure_rows(results)),
    ]


def _contributions(results):
    if not results.contributions:
        return []
    return [
        f"What each modality contributed. {contributions.contribution_legend(results)}",
        tables.markdown_table(*contributions.contribution_rows(results)),
    ]


def _corrupted(results):
    if not results.corrupted:
        return []
    return [
        text
        for title, table in corruption_tables.all_of(results).items()
        for text in (
            f"{markdown(title[0].upper() + title[1:])}:",
            tables.markdown_table(*table),
        )
    ]


def contents(results: Results, plots: list[str]) -> str:
    """The tables of a card, and its plots by their file names, as Markdown."""
    fits = results.fits_of(comparison.MODEL)
    seconds = sum(fit.seconds for fit in fits)
    places = sorted({fit.computed_on for fit in fits if fit.computed_on})
    title = markdown(tables.method_title(comparison.MODEL, results))
    parts = [
        f"{results.part.capitalize()} {results.metric} in percent, mean ± "
        f"standard deviation over seeds {results.seeds}.",
        tables.markdown_table(*tables.sized_rows(results)),
        *_other_measures(results),
        "Each modality missing:",
        tables.markdown_table(*tables.missing_rows(results)),
        *_contributions(results),
        *filter(None, [confidence.sets_sentence(results)]),
        *_corrupted(results),
        f"How many points {title} is ahead. {tables.paired_legend(results)}",
        tables.markdown_table(*tables.paired_rows(results)),
        *filter(None, [tables.classical_won(results)]),
        *(f"![{CAPTIONS[name]}]({name})" for name in plots),
        f"{tables.origin(results)}; {seconds / len(fits):.0f} s a run"
        f"{' by ' if places else ''}{', '.join(places)}.",
    ]
    return "\n\n".join(parts)
