"""Results of a comparison on the terminal."""

import statistics

from keras_fusion.cli.console import console
from keras_fusion.experiments import comparison
from keras_fusion.experiments.recipes import Split
from keras_fusion.experiments.record import Record
from keras_fusion.experiments.reports import (
    confidence,
    contributions,
    corruption_tables,
    tables,
)
from keras_fusion.experiments.results import Results
from keras_fusion.experiments.watching import LOSS


def print_results(results: Results) -> None:
    """Prints what `comparison.compare` found as tables and sentences."""
    count = len(results.fits)
    several = len(results.scores[comparison.MODEL].missing) > 1
    title = (
        f"{results.part} {results.metric} in percent on "
        f"{results.recipe.dataset}, {count} seed{'s' if count > 1 else ''}"
    )
    if several:
        title += ", by number of modalities missing at random"
    console.print(tables.rich_table(title, *tables.comparison_rows(results)))
    if any(results.measures.values()):
        rows = tables.measure_rows(results)
        console.print(tables.rich_table("by other measures", *rows))
    if several:  # of one there is nothing to compare
        rows = tables.missing_rows(results)
        console.print(tables.rich_table("each modality missing", *rows))
    if several and results.contributions:
        rows = contributions.contribution_rows(results)
        console.print(tables.rich_table("what each modality contributed", *rows))
        console.print(contributions.contribution_legend(results))
    if sentence := confidence.sets_sentence(results):
        console.print(sentence)
    if results.corrupted:
        for title, table in corruption_tables.all_of(results).items():
            console.print(tables.rich_table(title, *table))
    print_paired(tables.method_title(comparison.MODEL, results), results)
    if won := tables.classical_won(results):
        console.say(won, style="bold")


def print_paired(method: str, results: Results) -> None:
    """Prints how far a method is ahead of the others."""
    title = f"{method} beside the others"
    console.print(tables.rich_table(title, *tables.paired_rows(results)))
    console.say(tables.paired_legend(results))


def blend_text(records: list[Record]) -> str | None:
    """One sentence on the blend with a linear model, None where there is none.

    Args:
        records: From `training.fit`, one for each seed.
    """
    shares = [record.network_share for record in records]
    if None in shares:
        return None
    whole, gaps = (statistics.fmean(x) for x in zip(*shares))
    what = "The model is" if len(records) == 1 else "Each model is"
    words = f"{what} a blend with a linear one: the network has {whole:.0%} of it"
    if whole == gaps:
        return f"{words}."
    return (
        f"{words} for rows with all modalities, and {gaps:.0%} for rows that lack some."
    )


def record_cells(record: Record, split: Split) -> list[str]:
    """Validation score, epochs, seconds and parameters of one run.

    Args:
        record: From `training.fit`.
        split: Of the recipe: the score says if the rows it is of were trained on.
    """
    score = record.validation
    shown = f"{100 * score:.1f} %"
    if record.metric == LOSS:
        shown = f"loss {-score:.4f}"
    return [
        f"{shown} (trained on)" if split.train_on_validation else shown,
        str(record.epochs),
        f"{record.seconds:.1f}",
        f"{record.parameters:,}",
    ]
